#include "registry/origin/known_blobs.hpp"

#include <iterator>

namespace convoy::registry {

void KnownBlobs::use(const std::string& short_hex, const bt::BlobMeta& meta) {
  const auto it = by_hash_.find(short_hex);
  if (it != by_hash_.end()) {
    order_.splice(order_.begin(), order_, it->second);
    return;
  }
  order_.push_front({short_hex, meta});
  by_hash_.emplace(order_.front().short_hex, order_.begin());
  by_digest_.emplace(meta.digest, order_.begin());
}

void KnownBlobs::erase(const std::string& short_hex) {
  const auto it = by_hash_.find(short_hex);
  if (it == by_hash_.end()) return;
  const Place place = it->second;
  by_hash_.erase(it);
  auto [same, end] = by_digest_.equal_range(place->meta.digest);
  while (same != end && same->second != place) ++same;
  if (same != end) by_digest_.erase(same);
  order_.erase(place);
}

const bt::BlobMeta* KnownBlobs::find(const std::string& short_hex) const {
  const auto it = by_hash_.find(short_hex);
  return it == by_hash_.end() ? nullptr : &it->second->meta;
}

std::vector<std::string> KnownBlobs::of(const oci::Digest& digest) const {
  std::vector<std::string> out;
  const auto [begin, end] = by_digest_.equal_range(digest);
  for (auto it = begin; it != end; ++it) out.push_back(it->second->short_hex);
  return out;
}

std::optional<std::string> KnownBlobs::oldest(const std::function<bool(const std::string&)>& busy) {
  for (std::size_t left = order_.size(); left > 0; --left) {
    const Place last = std::prev(order_.end());
    if (!busy(last->short_hex)) return last->short_hex;
    order_.splice(order_.begin(), order_, last);
  }
  return std::nullopt;
}

}  // namespace convoy::registry
