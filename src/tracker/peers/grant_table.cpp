#include "tracker/peers/grant_table.hpp"

#include <algorithm>

namespace convoy::tracker {

ShortHash short_hash(const bt::InfoHash& full) {
  ShortHash out{};
  std::copy_n(full.begin(), out.size(), out.begin());
  return out;
}

std::string GrantTable::key(const std::string& node, const ShortHash& hash) {
  return std::string(hash.begin(), hash.end()) + node;
}

Status GrantTable::add(const std::string& node, Grant grant, SteadyTime now) {
  const std::string k = key(node, short_hash(grant.info_hash));
  if (grants_.size() >= max_ && !grants_.contains(k)) {
    expire(now);
    if (grants_.size() >= max_) return exhausted("tracker_full");
  }
  grants_.insert_or_assign(k, std::move(grant));
  return {};
}

std::optional<GrantTable::Grant> GrantTable::find(const std::string& node, const ShortHash& hash,
                                                  SteadyTime now) const {
  const auto it = grants_.find(key(node, hash));
  if (it == grants_.end() || it->second.until <= now) return std::nullopt;
  return it->second;
}

void GrantTable::expire(SteadyTime now) {
  std::erase_if(grants_, [&](const auto& entry) { return entry.second.until <= now; });
}

}  // namespace convoy::tracker
