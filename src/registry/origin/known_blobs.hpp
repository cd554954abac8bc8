#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/bt/metadata.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::registry {

/// Blobs by the first 40 hex digits of their info-hash, in the order of their last use. One thread.
class KnownBlobs {
 public:
  /// Adds it if need be; from now on it is the one used last.
  void use(const std::string& short_hex, const bt::BlobMeta&);
  void erase(const std::string& short_hex);
  /// Null when it is not there; good until it is erased.
  const bt::BlobMeta* find(const std::string& short_hex) const;
  /// All of that digest; by other piece lengths there may be several.
  std::vector<std::string> of(const oci::Digest&) const;
  std::size_t size() const { return order_.size(); }
  /// The one used longest ago that is not busy, if there is any; the busy ones before it count as
  /// used now.
  std::optional<std::string> oldest(const std::function<bool(const std::string&)>& busy);

 private:
  struct Entry {
    std::string short_hex;
    bt::BlobMeta meta;
  };
  using Place = std::list<Entry>::iterator;

  std::list<Entry> order_;                               ///< the one used last first
  std::unordered_map<std::string_view, Place> by_hash_;  ///< views of the entries' own text
  std::unordered_multimap<oci::Digest, Place> by_digest_;
};

}  // namespace convoy::registry
