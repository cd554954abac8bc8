#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <unordered_set>
#include <vector>

#include "wire/oci/digest.hpp"

namespace convoy::storage {

/// Decides which pages of blobs are to leave the kernel's page cache, so that all that stay are
/// within a budget. The half that came last stays, as the engine and neighbours mostly want what
/// has just come. Of the other half any part leaves: were it the oldest, a blob a little larger
/// than the budget would lose each part just before it is asked for again. When a part gets old it
/// is due to be written to the disk: the kernel gives up no page that the disk does not have. Pure;
/// one thread.
class PageBudget {
 public:
  /// Blobs are reckoned in aligned parts of this size: the kernel holds pages in groups, up to
  /// 2 MiB long, and gives up a group only whole.
  static constexpr std::uint64_t kPart = 4ULL << 20;
  /// What a part counts at least, so that a budget also bounds how many parts are remembered.
  static constexpr std::uint64_t kLeast = 64ULL << 10;

  struct Part {
    oci::Digest digest;
    std::uint64_t offset = 0;
    bool operator==(const Part&) const = default;
  };
  struct Due {
    std::vector<Part> write_back;
    std::vector<Part> give_up;
  };

  /// `bytes`: at least 4 * kPart.
  explicit PageBudget(std::uint64_t bytes) : half_(bytes / 2) {}

  /// These bytes of a blob of `size` are in the page cache: they were written, or read. `length` is
  /// not 0, and they lie inside the blob. Returns what is due now.
  Due came(const oci::Digest&, std::uint64_t size, std::uint64_t offset, std::uint64_t length);
  /// Whether all of these bytes came and are not to leave yet.
  bool holds(const oci::Digest&, std::uint64_t offset, std::uint64_t length) const;
  /// The parts of a blob of `size` that are to be out of the page cache.
  std::vector<Part> absent(const oci::Digest&, std::uint64_t size) const;

 private:
  struct Hash {
    std::size_t operator()(const Part& part) const noexcept {
      return std::hash<oci::Digest>()(part.digest) + part.offset / kPart;
    }
  };
  struct Held {
    const Part* part;
    std::uint64_t cost;
  };
  Held let_age();
  Held take_any_old();

  std::uint64_t half_;
  std::unordered_set<Part, Hash> held_;
  std::deque<Held> fresh_;  // the oldest first
  std::vector<Held> old_;
  std::uint64_t fresh_cost_ = 0;
  std::uint64_t old_cost_ = 0;
  std::minstd_rand any_;  // the same at each run; nobody gains by knowing it
};

}  // namespace convoy::storage
