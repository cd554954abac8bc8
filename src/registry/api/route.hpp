#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wire/http/message.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::registry {

enum class RouteKind : std::uint8_t {
  ping,       ///< /v2/
  token,      ///< /token
  catalog,    ///< /v2/_catalog
  manifest,   ///< /v2/<name>/manifests/<reference>
  blob,       ///< /v2/<name>/blobs/<digest>
  uploads,    ///< /v2/<name>/blobs/uploads/
  upload,     ///< /v2/<name>/blobs/uploads/<id>
  tags,       ///< /v2/<name>/tags/list
  referrers,  ///< /v2/<name>/referrers/<digest>
  metadata,   ///< /convoy/v1/metadata/<name>/<digest>
};
std::string_view to_string(RouteKind);

/// Where a request goes. The last segment is still text: only its handler knows what it must be.
struct Route {
  RouteKind kind = RouteKind::ping;
  std::optional<oci::RepoName> repository;  ///< of every route that has a <name>
  std::string last;                         ///< reference, digest or id
};

/// Errors "name_invalid", "route_unknown" (not_found).
Result<Route> parse_route(const http::Target&);
/// The methods a route knows, as in Allow.
std::string_view allowed_methods(RouteKind);
bool allows_method(RouteKind, std::string_view method);

}  // namespace convoy::registry
