#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "agent/fetch/ticket_desk.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace convoy::agent {

/// The leave to give one blob to one caller.
struct Permit {
  std::optional<SwarmPass> pass;  ///< when the tracker granted it
  std::uint64_t size = 0;
  /// False: only the registry itself may give the bytes, since it alone allowed them.
  bool cache_allowed = true;
};

/// Whether the permit's registry has signed the very tree of this metadata. A root of zeros is
/// none.
bool signs_tree(const Permit&, const bt::BlobMeta&);

/// Identifies a decision: who (by credential), which registry, repository and digest. A
/// domain-separated, length-prefixed SHA-256, so that no caller's text can make another's key.
Hash256 permit_key(const BlobAsk&, const std::optional<Secret>& authorization);

/// Decisions of the last seconds, so that a client that reads a blob in ranges is not decided on
/// for each. Grants only; bounded. Pure: time comes in.
class PermitCache {
 public:
  static constexpr std::chrono::seconds kLife{10};
  static constexpr std::size_t kMaxEntries = 4096;

  std::optional<Permit> find(const Hash256& key, SteadyTime now) const;
  void put(const Hash256& key, Permit, SteadyTime now);
  void forget(const Hash256& key) { entries_.erase(key); }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Permit permit;
    SteadyTime until;
  };
  struct HashOfHash {
    std::size_t operator()(const Hash256&) const noexcept;
  };
  std::unordered_map<Hash256, Entry, HashOfHash> entries_;
};

}  // namespace convoy::agent
