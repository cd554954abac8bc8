#include "swarm/core/traffic.hpp"

namespace convoy::swarm::core {

std::shared_ptr<TokenBucket> Traffic::upload_to(const std::string& node) {
  std::erase_if(nodes_, [](const auto& entry) { return entry.second.expired(); });
  auto& known = nodes_[node];
  auto bucket = known.lock();
  if (bucket == nullptr) known = bucket = std::make_shared<TokenBucket>(each_);
  return bucket;
}

void Traffic::limit_each_upload(std::uint64_t rate, Instant now) {
  each_ = rate;
  for (const auto& [node, known] : nodes_) {
    if (const auto bucket = known.lock()) bucket->set_rate(rate, now);
  }
}

}  // namespace convoy::swarm::core
