#pragma once

#include <optional>
#include <string>

#include "agent/service.hpp"
#include "config/agent_config.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"
#include "registry/service.hpp"
#include "tracker/service.hpp"

// From a configuration to the options of a role: reads every file it names. Nothing comes back when
// there was a fault.
namespace convoy::wiring {

std::optional<registry::RegistryOptions> load_registry(const config::RegistryConfig&,
                                                       const std::string& folder, config::Faults&);
/// The parts that need no file; for commands on a stopped registry.
registry::UpkeepOptions upkeep_of(const config::RegistryConfig&);
std::vector<registry::Project> projects_of(const config::RegistryConfig&);
std::optional<tracker::TrackerOptions> load_tracker(const config::TrackerConfig&,
                                                    const std::string& folder, config::Faults&);
agent::AgentRates rates_of(const config::AgentConfig::Rates&);
std::optional<agent::AgentOptions> load_agent(const config::AgentConfig&, const std::string& folder,
                                              config::Faults&);

}  // namespace convoy::wiring
