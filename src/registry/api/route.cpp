#include "registry/api/route.hpp"

namespace convoy::registry {
namespace {

using Segments = std::vector<std::string>;

Result<Route> with_name(RouteKind kind, const Segments& s, std::size_t first, std::size_t end,
                        std::string last) {
  if (first >= end) return not_found("route_unknown");
  std::string name = s[first];
  for (std::size_t i = first + 1; i < end; ++i) name += '/' + s[i];
  auto repository = oci::RepoName::parse(name);
  if (!repository) return std::move(repository).error();
  return Route{kind, std::move(*repository), std::move(last)};
}

/// Read from the right: a repository may be named like a part of the API.
Result<Route> parse_v2(const Segments& s) {
  const std::size_t n = s.size();
  if (n == 1) return Route{RouteKind::ping, {}, {}};
  if (n == 2 && s[1] == "_catalog") return Route{RouteKind::catalog, {}, {}};
  if (n < 4) return not_found("route_unknown");
  const std::string& last = s[n - 1];
  const std::string& before = s[n - 2];
  if (before == "manifests") return with_name(RouteKind::manifest, s, 1, n - 2, last);
  if (before == "referrers") return with_name(RouteKind::referrers, s, 1, n - 2, last);
  if (before == "tags" && last == "list") return with_name(RouteKind::tags, s, 1, n - 2, {});
  if (before == "blobs" && last == "uploads") return with_name(RouteKind::uploads, s, 1, n - 2, {});
  if (before == "blobs") return with_name(RouteKind::blob, s, 1, n - 2, last);
  if (before == "uploads" && s[n - 3] == "blobs") {
    return with_name(RouteKind::upload, s, 1, n - 3, last);
  }
  return not_found("route_unknown");
}

}  // namespace

std::string_view to_string(RouteKind kind) {
  switch (kind) {
    case RouteKind::ping:
      return "ping";
    case RouteKind::token:
      return "token";
    case RouteKind::catalog:
      return "catalog";
    case RouteKind::manifest:
      return "manifest";
    case RouteKind::blob:
      return "blob";
    case RouteKind::uploads:
      return "uploads";
    case RouteKind::upload:
      return "upload";
    case RouteKind::tags:
      return "tags";
    case RouteKind::referrers:
      return "referrers";
    case RouteKind::metadata:
      return "metadata";
  }
  return "";
}

Result<Route> parse_route(const http::Target& target) {
  const Segments& s = target.segments;
  if (s.empty()) return not_found("route_unknown");
  if (s[0] == "v2") return parse_v2(s);
  if (s.size() == 1 && s[0] == "token") return Route{RouteKind::token, {}, {}};
  if (s.size() >= 5 && s[0] == "convoy" && s[1] == "v1" && s[2] == "metadata") {
    return with_name(RouteKind::metadata, s, 3, s.size() - 1, s.back());
  }
  return not_found("route_unknown");
}

std::string_view allowed_methods(RouteKind kind) {
  switch (kind) {
    case RouteKind::token:
      return "GET, POST";
    case RouteKind::manifest:
      return "GET, HEAD, PUT, DELETE";
    case RouteKind::blob:
      return "GET, HEAD, DELETE";
    case RouteKind::uploads:
      return "POST";
    case RouteKind::upload:
      return "GET, HEAD, PATCH, PUT, DELETE";
    case RouteKind::metadata:
      return "GET";
    default:
      return "GET, HEAD";
  }
}

bool allows_method(RouteKind kind, std::string_view method) {
  std::string_view list = allowed_methods(kind);
  while (!list.empty()) {
    const auto comma = list.find(", ");
    if (list.substr(0, comma) == method) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 2);
  }
  return false;
}

}  // namespace convoy::registry
