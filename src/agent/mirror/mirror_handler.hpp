#pragma once

#include "agent/gate.hpp"
#include "agent/mirror/blob_handler.hpp"
#include "agent/mirror/v2_path.hpp"
#include "agent/upstream.hpp"
#include "net/http_server.hpp"

namespace convoy::agent {

/// The mirror for engines that are told of it: GET and HEAD of manifests and blobs of the
/// configured registries (docs/protocols/agent-http.md). The caller is checked before anything is
/// looked up. One thread; the references outlive it.
class MirrorHandler {
 public:
  MirrorHandler(const Upstreams& upstreams, Gate& gate, BlobHandler& blobs, SmallBlobs& small,
                const Clock& clock, security::AuditLog& audit, Logger log)
      : upstreams_(upstreams),
        gate_(gate),
        blobs_(blobs),
        small_(small),
        clock_(clock),
        audit_(audit),
        log_(std::move(log)) {}

  net::Task<void> handle(net::HttpExchange&);

 private:
  net::Task<Status> admit(net::HttpExchange&, std::optional<Secret> authorization);
  void audit_refusal(const net::HttpExchange&, const std::string& reason);
  net::Task<Status> serve(net::HttpExchange&, std::optional<Secret> authorization);
  net::Task<Status> manifest(net::HttpExchange&, UpstreamPtr, V2Path, std::optional<Secret>,
                             http::Headers extra);

  const Upstreams& upstreams_;
  Gate& gate_;
  BlobHandler& blobs_;
  SmallBlobs& small_;
  const Clock& clock_;
  security::AuditLog& audit_;
  Logger log_;
};

}  // namespace convoy::agent
