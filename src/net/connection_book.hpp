#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace convoy::net {

/// Internal to net: which connections a server holds at once. When it is full, a newcomer takes the
/// place of the connection that has waited longest without a request under way (in its handshake,
/// between two requests, inside a head); an address that holds its share is refused before it can
/// push others out. One thread.
class ConnectionBook {
 public:
  /// A connection's place, until it is destroyed. The book must outlive it.
  class Place {
   public:
    Place(ConnectionBook& book, std::string address) : book_(book), address_(std::move(address)) {}
    ~Place() { leave(); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// No request is under way: `drop` ends the connection when another one needs the place. It
    /// must stay callable until works() or the end of the place.
    void waits(std::function<void()> drop);
    /// A request is under way: the place is kept.
    void works();

   private:
    friend class ConnectionBook;
    void leave();

    ConnectionBook& book_;
    const std::string address_;
    std::function<void()> drop_;
    std::list<Place*>::iterator at_;
    bool waiting_ = false;
    bool left_ = false;
  };

  /// `per_address` 0: no such limit.
  ConnectionBook(std::size_t max, std::size_t per_address) : max_(max), per_address_(per_address) {}

  /// Null when there is no room.
  std::unique_ptr<Place> admit(std::string_view ip);

  std::size_t size() const { return count_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  bool make_room();

  const std::size_t max_;
  const std::size_t per_address_;
  std::size_t count_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t dropped_ = 0;
  std::unordered_map<std::string, std::size_t> by_address_;
  std::list<Place*> waiting_;  ///< the longest first
};

}  // namespace convoy::net
