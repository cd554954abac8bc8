#include "storage/blob/page_budget.hpp"

#include <algorithm>
#include <utility>

namespace convoy::storage {

PageBudget::Due PageBudget::came(const oci::Digest& digest, std::uint64_t size,
                                 std::uint64_t offset, std::uint64_t length) {
  Due due;
  const std::uint64_t end = offset + length;
  for (std::uint64_t at = offset / kPart * kPart; at < end; at += kPart) {
    const auto [part, added] = held_.insert({digest, at});
    if (!added) continue;
    fresh_.push_back({&*part, std::clamp(size - at, kLeast, kPart)});
    fresh_cost_ += fresh_.back().cost;
  }
  while (fresh_cost_ > half_) due.write_back.push_back(*let_age().part);
  while (old_cost_ > half_) {
    due.give_up.push_back(*take_any_old().part);
    held_.erase(due.give_up.back());
  }
  return due;
}

PageBudget::Held PageBudget::let_age() {
  const Held oldest = fresh_.front();
  fresh_.pop_front();
  fresh_cost_ -= oldest.cost;
  old_.push_back(oldest);
  old_cost_ += oldest.cost;
  return oldest;
}

PageBudget::Held PageBudget::take_any_old() {
  std::swap(old_[any_() % old_.size()], old_.back());
  const Held one = old_.back();
  old_.pop_back();
  old_cost_ -= one.cost;
  return one;
}

bool PageBudget::holds(const oci::Digest& digest, std::uint64_t offset,
                       std::uint64_t length) const {
  const std::uint64_t end = offset + length;
  for (std::uint64_t at = offset / kPart * kPart; at < end; at += kPart) {
    if (!held_.contains({digest, at})) return false;
  }
  return true;
}

std::vector<PageBudget::Part> PageBudget::absent(const oci::Digest& digest,
                                                 std::uint64_t size) const {
  std::vector<Part> out;
  for (std::uint64_t at = 0; at < size; at += kPart) {
    if (Part part{digest, at}; !held_.contains(part)) out.push_back(part);
  }
  return out;
}

}  // namespace convoy::storage
