#include <algorithm>

#include "config/agent_config.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"
#include "config/users_file.hpp"
#include "fuzz/fuzz.hpp"

using namespace convoy;

namespace {

/// A fault names a line of the text, or none; without a fault the values are within their limits.
void check_faults(const config::Faults& faults, std::string_view text) {
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 2;
  for (const config::Fault& fault : faults) {
    fuzz::check(fault.line >= 0 && fault.line <= lines);
    fuzz::check(!fault.problem.empty());
    fuzz::check(fault.key.find('\n') == std::string::npos);
  }
  config::to_text(faults, "f");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text(data, size);
  config::RegistryFile registry;
  const config::Faults registry_faults = config::parse_registry(text, registry);
  check_faults(registry_faults, text);
  if (registry_faults.empty()) fuzz::check(!registry.registry.data_dir.empty());
  config::TrackerFile tracker;
  const config::Faults tracker_faults = config::parse_tracker(text, tracker);
  check_faults(tracker_faults, text);
  if (tracker_faults.empty())
    fuzz::check(tracker.tracker.degree >= 2 && tracker.tracker.degree <= 50);
  config::AgentFile agent;
  const config::Faults agent_faults = config::parse_agent(text, agent);
  check_faults(agent_faults, text);
  if (agent_faults.empty() && !agent.agent.mirror.listen.loopback()) {
    fuzz::check(agent.agent.mirror.listen.empty() || agent.agent.mirror.allow_non_loopback);
  }
  config::Faults user_faults;
  for (const config::UserLine& user : config::parse_users(text, user_faults)) {
    fuzz::check(!user.name.empty() && user.name.size() <= 64 && user.name != "anonymous");
  }
  return 0;
}
