#include "agent/mirror/v2_path.hpp"

namespace convoy::agent {
namespace {

std::string join(const std::vector<std::string>& segments, std::size_t first, std::size_t last) {
  std::string out;
  for (std::size_t i = first; i < last; ++i) {
    if (!out.empty()) out += '/';
    out += segments[i];
  }
  return out;
}

}  // namespace

Result<V2Path> parse_v2_path(const http::Target& target) {
  V2Path path;
  const auto& segments = target.segments;
  if (segments.empty() || segments.front() != "v2") return path;
  if (segments.size() == 1) {
    path.kind = V2Path::Kind::ping;
    return path;
  }
  const std::size_t n = segments.size();
  if (n < 4 || target.trailing_slash) return path;
  const std::string& what = segments[n - 2];
  const bool blob = what == "blobs";
  if ((!blob && what != "manifests") || (blob && segments[n - 1] == "uploads")) return path;
  auto repository = oci::RepoName::parse(join(segments, 1, n - 2));
  if (!repository) return std::move(repository).error();
  path.repository = std::move(*repository);
  if (blob) {
    auto digest = oci::Digest::parse(segments[n - 1]);
    if (!digest) return std::move(digest).error();
    path.digest = *digest;
    path.kind = V2Path::Kind::blob;
    return path;
  }
  auto reference = oci::parse_reference(segments[n - 1]);
  if (!reference) return std::move(reference).error();
  path.reference = std::move(*reference);
  path.kind = V2Path::Kind::manifest;
  return path;
}

}  // namespace convoy::agent
