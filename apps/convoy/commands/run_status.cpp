#include <cstdio>
#include <utility>

#include "cli/files.hpp"
#include "cli/status_table.hpp"
#include "commands/commands.hpp"
#include "config/agent_config.hpp"
#include "wiring/http_get.hpp"

namespace convoy::commands {

namespace {

int fail(const std::string& why) {
  std::fprintf(stderr, "convoy status: %s\n", why.c_str());
  return kFailed;
}

/// The operations listener an agent's configuration names.
Result<std::string> ops_of(const std::string& file) {
  const auto text = cli::read_file(file, config::kMaxConfigBytes + 1);
  if (!text) return text.error();
  config::AgentFile agent;
  const config::Faults faults = config::parse_agent(*text, agent);
  if (!faults.empty()) return invalid("config_invalid", "\n" + config::to_text(faults, file));
  if (agent.ops.listen.empty() || agent.ops.listen.port == 0) {
    return invalid("config_invalid", "ops.listen has no fixed port; give --ops");
  }
  return "http://" + agent.ops.listen.str();
}

}  // namespace

int run_status(const StatusArgs& args) {
  std::string ops = args.ops;
  if (!args.config.empty()) {
    const auto found = ops_of(args.config);
    if (!found) {
      std::fprintf(stderr, "convoy status: %s\n", found.error().detail().c_str());
      return kUsage;
    }
    ops = *found;
  }
  auto url = http::parse_url(ops);
  if (!url || url->tls) {
    std::fprintf(stderr, "convoy status: --ops takes http://HOST:PORT\n");
    return kUsage;
  }
  url->target = "/convoy/v1/status";
  const auto body = wiring::http_get(*url);
  if (!body) {
    return fail(ops + ": " + body.error().text() +
                "\n    hint: is the agent running, and is this its ops.listen?");
  }
  if (args.json) {
    std::printf("%s\n", body->c_str());
    return kOk;
  }
  const auto table = cli::status_table(*body);
  if (!table) return fail(ops + ": " + table.error().detail());
  std::fputs(table->c_str(), stdout);
  return kOk;
}

}  // namespace convoy::commands
