#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/fetch/small_blobs.hpp"
#include "agent/upstream.hpp"
#include "base/secret.hpp"
#include "net/http_server.hpp"

namespace convoy::agent {

/// Header fields that may travel on: hop-by-hop ones (RFC 9110 7.6.1), those of the proxy itself
/// and the framing ones are left out; repeated fields stay as they are.
http::Headers end_to_end(const http::Headers&);

/// Passes a request on to the registry and its answer back, unchanged but for the hop, bodies
/// streamed both ways. `target`: path and query at the registry. `authorization` replaces the
/// request's own when `replace_authorization`. `extra` goes onto the answer.
struct PassOn {
  UpstreamPtr upstream;
  std::string target;
  bool replace_authorization = false;
  std::optional<Secret> authorization;
  /// Asked for another authorization, to be tried once, when the registry refuses this one. Null:
  /// the refusal is passed on. Not with a body.
  std::function<net::Task<Result<std::optional<Secret>>>(std::optional<Secret>)> reauthorize{};
  http::Headers extra;
  /// What is answered is a manifest: `small` gets a copy of it. Null: it is not.
  SmallBlobs* small = nullptr;
  std::optional<ManifestPull> manifest{};  ///< set together with `small`
};
net::Task<void> pass_on(net::HttpExchange&, PassOn, const Clock&, Logger);

}  // namespace convoy::agent
