#pragma once

#include <map>
#include <memory>
#include <optional>

#include "agent/gate.hpp"
#include "agent/mirror/blob_handler.hpp"
#include "agent/mirror/v2_path.hpp"
#include "agent/proxy/authority.hpp"
#include "agent/proxy/local_ca.hpp"
#include "agent/upstream.hpp"
#include "net/http_server.hpp"

namespace convoy::agent {

struct ProxyPolicy {
  bool tunnel_others = true;
  /// Others than this machine's own users can reach the proxy.
  bool reachable_from_outside = false;
  net::HttpServerLimits limits;  ///< of requests that are answered in a registry's place
  bool kernel_tls = true;        ///< of such answers
};

/// The forward proxy: CONNECT to a configured registry is answered in its place, every other host
/// is tunnelled or refused. One thread; the references outlive it.
class ProxyHandler {
 public:
  ProxyHandler(net::Executor, const Upstreams&, Gate&, BlobHandler&, SmallBlobs&, const LocalCa&,
               ProxyPolicy, const Clock&, Random&, security::AuditLog&, Logger);

  net::Task<void> handle(net::HttpExchange&);
  /// Ends what was intercepted, after up to `grace`.
  net::Task<void> stop(Duration grace);
  /// Certificates made so far: at most one for each configured registry, and its renewals.
  std::size_t certificates_made() const { return certificates_made_; }

 private:
  /// One for each registry that was asked for, so their number is bounded by the configuration.
  struct Interception {
    std::shared_ptr<net::TlsServerContext> tls;
    std::unique_ptr<net::HttpServer> server;
    UnixTime renew_at{};
  };

  net::Task<bool> admit(net::HttpExchange&);
  net::Task<void> intercept(net::HttpExchange&, UpstreamPtr);
  net::Task<void> open_tunnel(net::HttpExchange&, Authority);
  net::Task<void> intercepted(net::HttpExchange&, UpstreamPtr);
  net::Task<void> pass(net::HttpExchange&, UpstreamPtr, std::optional<V2Path>);
  Result<Interception*> interception_for(const UpstreamPtr&);
  void audit(const net::HttpExchange&, bool granted, const std::string& action,
             const std::string& reason, const std::string& host);

  net::Executor executor_;
  const Upstreams& upstreams_;
  Gate& gate_;
  BlobHandler& blobs_;
  SmallBlobs& small_;
  const LocalCa& ca_;
  ProxyPolicy policy_;
  const Clock& clock_;
  Random& random_;
  security::AuditLog& audit_;
  Logger log_;
  std::map<std::string, Interception> interceptions_;
  std::size_t certificates_made_ = 0;
};

}  // namespace convoy::agent
