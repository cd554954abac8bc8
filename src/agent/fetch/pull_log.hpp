#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <deque>
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

/// One blob request that was answered.
struct PullRecord {
  std::string request_id;
  std::string registry;
  std::string repository;
  std::string digest;
  std::uint64_t size = 0;
  PullBytes bytes;
  double seconds = 0;
  std::string outcome;  ///< "ok", "cut", "refused", "failed"
};

/// The last pulls, newest first, and what is counted of all. One thread.
class PullLog {
 public:
  PullLog(std::size_t keep, std::shared_ptr<net::Metrics>, Logger);

  /// Keeps, counts and logs it.
  void add(PullRecord);
  const std::deque<PullRecord>& recent() const { return recent_; }
  boost::json::array to_json() const;

 private:
  std::size_t keep_;
  std::shared_ptr<net::Metrics> metrics_;
  Logger log_;
  std::deque<PullRecord> recent_;
};

}  // namespace convoy::agent
