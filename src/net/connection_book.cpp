#include "net/connection_book.hpp"

#include <utility>

#include "base/address_key.hpp"

namespace convoy::net {

void ConnectionBook::Place::waits(std::function<void()> drop) {
  if (left_) return;
  works();
  drop_ = std::move(drop);
  at_ = book_.waiting_.insert(book_.waiting_.end(), this);
  waiting_ = true;
}

void ConnectionBook::Place::works() {
  if (!waiting_) return;
  book_.waiting_.erase(at_);
  waiting_ = false;
}

void ConnectionBook::Place::leave() {
  if (std::exchange(left_, true)) return;
  works();
  --book_.count_;
  const auto it = book_.by_address_.find(address_);
  if (--it->second == 0) book_.by_address_.erase(it);
}

bool ConnectionBook::make_room() {
  if (waiting_.empty()) return false;
  Place* longest = waiting_.front();
  longest->leave();
  ++dropped_;
  longest->drop_();
  return true;
}

std::unique_ptr<ConnectionBook::Place> ConnectionBook::admit(std::string_view ip) {
  std::string key = address_key(ip);
  const auto it = by_address_.find(key);
  const bool over = per_address_ > 0 && it != by_address_.end() && it->second >= per_address_;
  if (over || (count_ >= max_ && !make_room())) {
    ++refused_;
    return nullptr;
  }
  ++by_address_[key];
  ++count_;
  return std::make_unique<Place>(*this, std::move(key));
}

}  // namespace convoy::net
