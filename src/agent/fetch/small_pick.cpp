#include "agent/fetch/small_pick.hpp"

#include <set>

#include "wire/oci/manifest.hpp"

namespace convoy::agent {

std::vector<SmallBlob> small_blobs_of(std::string_view manifest, std::string_view content_type,
                                      std::uint64_t limit) {
  std::vector<SmallBlob> out;
  const auto parsed = oci::parse_manifest(manifest, content_type);
  if (!parsed || parsed->is_index) return out;
  std::set<oci::Digest> seen;
  std::uint64_t total = 0;
  const auto consider = [&](const oci::Descriptor& blob) {
    if (blob.has_urls || blob.size == 0 || blob.size >= limit) return;
    if (out.size() >= kMaxSmallBlobs || blob.size > kMaxSmallBytes - total) return;
    if (!seen.insert(blob.digest).second) return;
    total += blob.size;
    out.push_back({blob.digest, blob.size});
  };
  if (parsed->config) consider(*parsed->config);
  for (const auto& layer : parsed->layers) consider(layer);
  return out;
}

}  // namespace convoy::agent
