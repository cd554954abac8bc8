#include "agent/options_check.hpp"

#include "base/bytes.hpp"
#include "wire/http/message.hpp"

namespace convoy::agent {
namespace {

Error refused(const std::string& what) { return invalid("agent_listen_refused", what); }
Error wrong(const std::string& what) { return invalid("agent_option_invalid", what); }

Status check_mirror(const AgentOptions& options) {
  const bool authenticated =
      !options.mirror_users.empty() || !options.mirror_client_roots_pem.empty();
  if (!options.mirror_client_roots_pem.empty() && !options.mirror_tls) {
    return wrong("mirror: client certificates need TLS");
  }
  if (options.mirror_listen.loopback()) return {};
  if (!options.mirror_allow_non_loopback) {
    return refused("mirror: " + options.mirror_listen.ip +
                   " is not loopback; allow it explicitly and demand authentication");
  }
  if (!authenticated) return refused("mirror: beyond loopback it needs users or client roots");
  return {};
}

Status check_proxy(const AgentOptions& options) {
  if (options.proxy_listen.loopback()) return {};
  if (!options.proxy_allow_non_loopback) {
    return refused("proxy: " + options.proxy_listen.ip +
                   " is not loopback; allow it explicitly and demand authentication");
  }
  if (options.proxy_users.empty()) return refused("proxy: beyond loopback it needs users");
  return {};
}

Status check_tracker(const AgentOptions& options) {
  const auto url = http::parse_url(options.tracker_url);
  if (!url || !url->tls || url->target != "/") {
    return wrong("tracker URL must be https://host[:port]");
  }
  if (!options.tracker_pin.empty() && !hash256_from_hex(options.tracker_pin)) {
    return wrong("tracker pin must be 64 lower-case hexadecimal digits");
  }
  return {};
}

}  // namespace

Status check_options(const AgentOptions& options) {
  if (options.data_dir.empty()) return wrong("data directory missing");
  if (options.node_name.empty()) return wrong("node name missing");
  if (!options.mirror_enabled && !options.proxy_enabled) return wrong("neither mirror nor proxy");
  if (options.page_cache < 16ULL << 20) return wrong("share of the page cache");
  if (options.swarm_stall < std::chrono::milliseconds(10)) return wrong("swarm stall time");
  if (options.mirror_enabled) {
    if (auto checked = check_mirror(options); !checked) return checked;
  }
  if (options.proxy_enabled) {
    if (auto checked = check_proxy(options); !checked) return checked;
  }
  return check_tracker(options);
}

}  // namespace convoy::agent
