#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "net/metrics.hpp"

namespace convoy::agent {

/// Where the bytes of a pull came from.
struct PullBytes {
  std::uint64_t peers = 0;
  std::uint64_t origin = 0;  ///< the registry's seeder, as a peer
  std::uint64_t cache = 0;
  std::uint64_t registry = 0;  ///< over HTTP

  std::uint64_t total() const { return peers + origin + cache + registry; }
};

/// One blob request, answered or under way.
struct PullRecord {
  std::string request_id;
  std::string registry;
  std::string repository;
  std::string digest;
  std::uint64_t size = 0;
  PullBytes bytes;
  double seconds = 0;
  std::string outcome;  ///< "ok", "cut", "refused", "failed"; while under way the state:
                        ///< "authorizing", "waiting" (for the first byte), "sending"
};

/// The last pulls and those under way, newest first, and what is counted of all. One thread.
class PullLog {
 public:
  /// Tells how a pull stands.
  using Look = std::function<PullRecord()>;
  /// While it lives the pull is listed as under way. May outlive the log.
  class Running {
   public:
    ~Running() { list_->erase(at_); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    friend class PullLog;
    using List = std::list<Look>;
    Running(std::shared_ptr<List> list, Look look)
        : list_(std::move(list)), at_(list_->insert(list_->begin(), std::move(look))) {}

    std::shared_ptr<List> list_;
    List::iterator at_;
  };

  PullLog(std::size_t keep, std::shared_ptr<net::Metrics>, Logger);

  /// Keeps, counts and logs it.
  void add(PullRecord);
  const std::deque<PullRecord>& recent() const { return recent_; }
  Running track(Look look) { return {running_, std::move(look)}; }
  boost::json::array to_json() const;
  /// Those under way, at most as many as are kept.
  boost::json::array running_json() const;

 private:
  std::size_t keep_;
  std::shared_ptr<net::Metrics> metrics_;
  Logger log_;
  std::deque<PullRecord> recent_;
  std::shared_ptr<std::list<Look>> running_;
};

}  // namespace convoy::agent
