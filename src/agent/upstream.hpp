#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/service.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "clients/registry/registry_client.hpp"
#include "net/http_client.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::agent {

/// A configured registry and the ways to reach it. One thread.
struct Upstream {
  oci::RegistryHost host;                                 ///< its name in image references
  http::Url base;                                         ///< where it is reached
  std::optional<clients::RegistryCredential> credential;  ///< the node's own
  std::shared_ptr<clients::RegistryClient> client;        ///< for blobs: gives up soon on silence
  std::shared_ptr<net::HttpClient> http;  ///< for what is passed on: commits may take their time

  /// Whether a client that names this host and port means this registry: by its name in image
  /// references or by the address it is really reached at.
  bool answers_to(std::string_view host, std::uint16_t port) const;
  /// Every host name that a certificate in its place has to carry.
  std::vector<std::string> host_names() const;
};

using UpstreamPtr = std::shared_ptr<const Upstream>;

/// The configured registries. Immutable.
class Upstreams {
 public:
  /// Errors "agent_option_invalid" naming the registry.
  static Result<Upstreams> make(net::Executor, const std::vector<AgentRegistry>&, Duration silence,
                                const Clock&);

  /// By the value of `ns=`; "" means the default registry. Null when there is none.
  UpstreamPtr by_namespace(std::string_view ns) const;
  /// By the authority of a CONNECT. Null when it is not configured.
  UpstreamPtr by_authority(std::string_view host, std::uint16_t port) const;
  const std::vector<UpstreamPtr>& all() const { return all_; }

 private:
  std::vector<UpstreamPtr> all_;
  UpstreamPtr default_;
};

}  // namespace convoy::agent
