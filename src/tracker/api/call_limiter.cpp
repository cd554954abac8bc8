#include "tracker/api/call_limiter.hpp"

#include <algorithm>

namespace convoy::tracker {

double CallLimiter::filled(const Bucket& bucket, SteadyTime now) const {
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  return std::min(limits_.burst, bucket.tokens + seconds * limits_.per_second);
}

bool CallLimiter::admit(const std::string& node, SteadyTime now) {
  auto it = buckets_.find(node);
  if (it == buckets_.end()) {
    if (buckets_.size() >= limits_.max_nodes) expire(now);
    if (buckets_.size() >= limits_.max_nodes) return false;
    it = buckets_.emplace(node, Bucket{limits_.burst, now}).first;
  }
  Bucket& bucket = it->second;
  bucket.tokens = filled(bucket, now);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void CallLimiter::expire(SteadyTime now) {
  std::erase_if(buckets_,
                [&](const auto& entry) { return filled(entry.second, now) >= limits_.burst; });
}

}  // namespace convoy::tracker
