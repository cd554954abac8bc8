#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace convoy::cli {

inline constexpr std::uint16_t kDefaultOpsPort = 9503;

/// One machine's own small cluster, as `convoy up` runs it.
struct UpPlan {
  std::string data;  ///< its folder; absolute
  std::string listen_ip = "127.0.0.1";
  std::string host = "convoy.internal";  ///< the registry's name in images, without port
  std::uint16_t registry_port = 5000;
  std::uint16_t tracker_port = 5443;
  std::uint16_t mirror_port = 5001;
  std::uint16_t proxy_port = 5002;
  std::uint16_t agent_peer_port = 6881;
  std::uint16_t origin_peer_port = 6882;
  std::uint16_t ops_port = kDefaultOpsPort;

  /// Where this machine reaches what listens on listen_ip.
  std::string local_ip() const;
  std::string image_host() const;  ///< "convoy.internal:5000"
};

inline constexpr const char* kUpUser = "convoy";

/// Makes what is missing in the data folder and brings the rest up to date, so that a stop of any
/// length and other ports do no harm:
///
///     pki/            as create_pki_folder() makes it; kept
///     password        of the user "convoy", random, mode 0600; kept
///     auth.json       the same for skopeo and podman, mode 0600
///     certs/ca.crt    what clients have to trust
///     registry.toml tracker.toml agent.toml     written anew at each start
///     clients/        ready configuration for containerd, podman, docker
///
/// and gives the registry and the agent a join token each. True when the keys were made now.
Result<bool> prepare_up(const UpPlan&, const Clock&, Random&);

/// Addresses of the plan that cannot be listened on, each with the reason and the option that
/// chooses another: "127.0.0.1:5000 (registry): Address already in use; choose another with
/// --registry-port".
std::vector<std::string> ports_in_use(const UpPlan&);

std::string up_registry_config(const UpPlan&);
std::string up_tracker_config(const UpPlan&);
std::string up_agent_config(const UpPlan&);

}  // namespace convoy::cli
