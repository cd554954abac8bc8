#include <cstdio>
#include <unistd.h>
#include <utility>

#include "cli/files.hpp"
#include "commands/commands.hpp"
#include "wiring/file_loader.hpp"
#include "wiring/role.hpp"
#include "wiring/serve.hpp"

namespace convoy::commands {

namespace {

using wiring::RolePtr;
using wiring::Runtime;

/// What differs between the roles.
template <class File, class Config, class Options>
struct Kind {
  const char* name;
  config::Faults (*parse)(std::string_view, File&);
  Config File::* config;
  std::optional<Options> (*load)(const Config&, const std::string&, config::Faults&);
  Result<RolePtr> (*make)(Runtime&, Options, Config, std::string);
  std::string (*home)(const Config&);  ///< where audit.log goes by default, as in the file
};

int refuse(const config::Faults& faults, const std::string& file) {
  std::fputs(config::to_text(faults, file).c_str(), stderr);
  return kUsage;
}

int fail(const char* role, const Error& error) {
  std::fprintf(stderr, "convoy %s: %s\n", role, error.text().c_str());
  return kFailed;
}

template <class K, class File, class Options>
int serve_role(const K& kind, const RoleArgs& args, const File& file, Options options) {
  const std::string folder = cli::folder_of(args.config);
  const std::string audit = file.audit.file.empty()
                                ? cli::resolve(folder, kind.home(file.*kind.config) + "/audit.log")
                                : cli::resolve(folder, file.audit.file.text);
  auto runtime = Runtime::make(file.log.level, STDERR_FILENO, audit);
  if (!runtime) return fail(kind.name, runtime.error());
  auto role = kind.make(**runtime, std::move(options), file.*kind.config, args.config);
  if (!role) return fail(kind.name, role.error());
  std::vector<RolePtr> roles;
  roles.push_back(std::move(role).value());
  wiring::ServeOptions serving;
  if (!file.ops.listen.empty()) serving.ops = wiring::endpoint(file.ops.listen);
  serving.ready_file = args.ready_file;
  std::string error;
  const int status = wiring::serve(**runtime, std::move(roles), std::move(serving), error);
  if (!error.empty()) std::fprintf(stderr, "convoy %s: %s\n", kind.name, error.c_str());
  return status;
}

template <class File, class Config, class Options>
int run(const Kind<File, Config, Options>& kind, const RoleArgs& args) {
  const auto text = cli::read_file(args.config, config::kMaxConfigBytes + 1);
  if (!text) {
    std::fprintf(stderr, "convoy %s: %s\n", kind.name, text.error().detail().c_str());
    return kUsage;
  }
  File file;
  config::Faults faults = kind.parse(*text, file);
  if (!faults.empty()) return refuse(faults, args.config);
  if (args.check_config && !args.check_files) {
    std::puts("ok");
    return kOk;
  }
  auto options = kind.load(file.*kind.config, cli::folder_of(args.config), faults);
  if (!options) return refuse(faults, args.config);
  if (args.check_files) {
    std::puts("ok");
    return kOk;
  }
  return serve_role(kind, args, file, std::move(*options));
}

}  // namespace

int run_registry(const RoleArgs& args) {
  using K = Kind<config::RegistryFile, config::RegistryConfig, registry::RegistryOptions>;
  return run(K{"registry", config::parse_registry, &config::RegistryFile::registry,
               wiring::load_registry, wiring::make_registry_role,
               [](const config::RegistryConfig& c) { return c.data_dir.text; }},
             args);
}

int run_tracker(const RoleArgs& args) {
  using K = Kind<config::TrackerFile, config::TrackerConfig, tracker::TrackerOptions>;
  return run(
      K{"tracker", config::parse_tracker, &config::TrackerFile::tracker, wiring::load_tracker,
        wiring::make_tracker_role, [](const config::TrackerConfig&) { return std::string("."); }},
      args);
}

int run_agent(const RoleArgs& args) {
  using K = Kind<config::AgentFile, config::AgentConfig, agent::AgentOptions>;
  return run(
      K{"agent", config::parse_agent, &config::AgentFile::agent, wiring::load_agent,
        wiring::make_agent_role, [](const config::AgentConfig& c) { return c.data_dir.text; }},
      args);
}

}  // namespace convoy::commands
