#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"

namespace convoy::swarm::core {

/// A set of piece numbers with its size at hand.
class PieceSet {
 public:
  explicit PieceSet(std::uint32_t size = 0) : words_((size + 63) / 64), size_(size) {}

  /// The form of a BEP 3 bitfield: high bit first. No value when the length is wrong or a
  /// spare bit is set.
  static std::optional<PieceSet> from_wire(ByteView bits, std::uint32_t size);
  Bytes to_wire() const;

  bool test(std::uint32_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  /// Both return whether something changed.
  bool set(std::uint32_t i);
  bool clear(std::uint32_t i);
  void set_all();
  void clear_all();
  /// The first number >= `from` that is not in the set; size() when there is none.
  std::uint32_t first_missing(std::uint32_t from) const;

  std::uint32_t count() const { return count_; }
  std::uint32_t size() const { return size_; }
  bool all() const { return count_ == size_; }

 private:
  std::vector<std::uint64_t> words_;
  std::uint32_t size_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace convoy::swarm::core
