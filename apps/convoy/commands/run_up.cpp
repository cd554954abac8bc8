#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "cli/client_setup.hpp"
#include "cli/files.hpp"
#include "cli/up_site.hpp"
#include "commands/commands.hpp"
#include "wire/oci/reference.hpp"
#include "wiring/role.hpp"
#include "wiring/serve.hpp"

namespace convoy::commands {

namespace {

using wiring::RolePtr;
using wiring::Runtime;

int fail(const std::string& why, int status = kFailed) {
  std::fprintf(stderr, "convoy up: %s\n", why.c_str());
  return status;
}

std::string data_folder(const std::string& asked) {
  if (!asked.empty()) return std::filesystem::absolute(asked).lexically_normal().string();
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return std::string(data) + "/convoy";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.local/share/convoy" : "";
}

std::optional<std::string> misuse(const UpArgs& args) {
  if (!config::is_ip_address(args.listen_ip)) return "--listen-ip takes an IP address";
  if (!oci::RegistryHost::parse(args.host) || args.host.find(':') != std::string::npos) {
    return "--host takes a host name without a port";
  }
  if (args.registry_port == 0 || args.tracker_port == 0) {
    return "registry and tracker need ports that are known beforehand";
  }
  return std::nullopt;
}

cli::UpPlan plan_of(const UpArgs& args) {
  cli::UpPlan plan;
  plan.data = data_folder(args.data);
  while (plan.data.size() > 1 && plan.data.ends_with('/')) plan.data.pop_back();
  plan.listen_ip = args.listen_ip;
  plan.host = args.host;
  plan.registry_port = args.registry_port;
  plan.tracker_port = args.tracker_port;
  plan.mirror_port = args.mirror_port;
  plan.proxy_port = args.proxy_port;
  plan.agent_peer_port = args.agent_peer_port;
  plan.origin_peer_port = args.origin_peer_port;
  plan.ops_port = args.ops_port;
  return plan;
}

/// Reads one of the configurations just written and makes its role.
template <class File, class Config, class Parse, class Load, class Make>
Result<RolePtr> role_from(Runtime& runtime, const std::string& data, const std::string& name,
                          Config File::* member, Parse parse, Load load, Make make) {
  const std::string path = data + "/" + name + ".toml";
  auto text = cli::read_file(path);
  if (!text) return std::move(text).error();
  File file;
  config::Faults faults = parse(*text, file);
  if (faults.empty()) {
    auto options = load(file.*member, data, faults);
    if (options) return make(runtime, std::move(*options), file.*member, path);
  }
  return invalid("config_invalid", "\n" + config::to_text(faults, path));
}

/// The tracker first: the other two enrol with it.
Result<std::vector<RolePtr>> make_roles(Runtime& runtime, const std::string& data) {
  std::vector<RolePtr> roles;
  auto tracker = role_from(runtime, data, "tracker", &config::TrackerFile::tracker,
                           config::parse_tracker, wiring::load_tracker, wiring::make_tracker_role);
  if (!tracker) return std::move(tracker).error();
  roles.push_back(std::move(tracker).value());
  auto registry =
      role_from(runtime, data, "registry", &config::RegistryFile::registry, config::parse_registry,
                wiring::load_registry, wiring::make_registry_role);
  if (!registry) return std::move(registry).error();
  roles.push_back(std::move(registry).value());
  auto agent = role_from(runtime, data, "agent", &config::AgentFile::agent, config::parse_agent,
                         wiring::load_agent, wiring::make_agent_role);
  if (!agent) return std::move(agent).error();
  roles.push_back(std::move(agent).value());
  return roles;
}

void print_ready(const cli::UpPlan& plan, const wiring::Endpoints& at) {
  const auto where = [&](const char* name) {
    const auto found = at.find(name);
    return found == at.end() ? std::string("-") : found->second;
  };
  std::printf(
      "Convoy is up; Ctrl-C stops it.\n\n"
      "  registry  https://%s, called %s in image names\n"
      "  agent     mirror http://%s, proxy http://%s\n"
      "  user      %s, password in %s/password\n"
      "  log       %s/convoy.log, audit in %s/audit.log\n\n%s",
      where("registry").c_str(), plan.image_host().c_str(), where("mirror").c_str(),
      where("proxy").c_str(), cli::kUpUser, plan.data.c_str(), plan.data.c_str(), plan.data.c_str(),
      cli::client_commands(plan, where("mirror")).c_str());
  std::fflush(stdout);
}

int serve_all(Runtime& runtime, const cli::UpPlan& plan, const UpArgs& args) {
  auto roles = make_roles(runtime, plan.data);
  if (!roles) return fail(roles.error().text());
  wiring::ServeOptions options;
  options.ops = net::Endpoint{"127.0.0.1", args.ops_port};
  options.ready_file = args.ready_file;
  options.on_ready = [&plan](const wiring::Endpoints& at) {
    if (Status trust = cli::write_docker_trust(plan); !trust) fail(trust.error().text());
    print_ready(plan, at);
  };
  std::string error;
  const int status = wiring::serve(runtime, std::move(*roles), std::move(options), error);
  if (!error.empty()) fail(error + "\n    See " + plan.data + "/convoy.log.");
  return status;
}

}  // namespace

int run_up(const UpArgs& args) {
  if (const auto why = misuse(args)) return fail(*why, kUsage);
  const cli::UpPlan plan = plan_of(args);
  if (plan.data.empty()) return fail("no home folder; give --data DIR", kUsage);
  if (const auto used = cli::ports_in_use(plan); !used.empty()) {
    std::string text = "cannot listen:";
    for (const std::string& line : used) text += "\n    " + line;
    return fail(text + "\n    hint: ss -ltnp shows who has a port; perhaps another convoy up.");
  }
  const SystemClock clock;
  SystemRandom random;
  const auto fresh = cli::prepare_up(plan, clock, random);
  if (!fresh) return fail(fresh.error().text());
  std::printf("%s %s\n", *fresh ? "Made keys and a user in" : "Using the keys in",
              plan.data.c_str());
  std::fflush(stdout);
  const int log =
      ::open((plan.data + "/convoy.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return fail("cannot write " + plan.data + "/convoy.log");
  int status = kFailed;
  {
    auto runtime = Runtime::make(LogLevel::info, log, plan.data + "/audit.log");
    status = runtime ? serve_all(**runtime, plan, args) : fail(runtime.error().text());
  }
  ::close(log);
  return status;
}

}  // namespace convoy::commands
