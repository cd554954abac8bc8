#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace convoy::registry {

/// An instant for each of any number of keys in memory of fixed size: a key stands in one cell of
/// each row, and its instant is the earliest of them. Nothing is ever thrown out, so that nobody
/// loses an entry by adding others; who shares all cells with others, which are chosen by a hash
/// under a random key, has an instant that is too late. One thread.
class KeyedCells {
 public:
  explicit KeyedCells(Random&);

  class Slot {
   public:
    SteadyTime instant() const;
    /// Never moves a cell back.
    void put(SteadyTime);

   private:
    friend class KeyedCells;
    std::array<SteadyTime*, 4> cells_;
  };
  Slot find(std::string_view key);

 private:
  static constexpr std::size_t kColumns = 16 * 1024;
  std::string secret_;
  std::vector<SteadyTime> cells_;
};

}  // namespace convoy::registry
