#pragma once

#include <algorithm>
#include <cstdint>

#include "wire/bt/metadata.hpp"

namespace convoy::swarm::core {

/// Small blobs leave an origin first, so that the layers of an image are there one after the
/// other and not all at the end; for a node all are alike (ADR 14).
inline std::uint64_t blob_rank(const bt::BlobMeta& meta, bool origin) {
  return origin ? meta.size : 0;
}

/// Whose block leaves next, of several blobs: the one of the least rank; every fourth time the one
/// that was served longest ago, so that none starves.
class BlobTurns {
 public:
  /// Of the blobs from `first` to before `last`, at least one, served longest ago first.
  template <typename Iterator, typename RankOf>
  Iterator next(Iterator first, Iterator last, RankOf rank_of) {
    if (++turns_ % kRotate == 0) return first;
    return std::min_element(first, last,
                            [&](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
  }

 private:
  static constexpr std::uint64_t kRotate = 4;
  std::uint64_t turns_ = 0;
};

}  // namespace convoy::swarm::core
