#pragma once

#include <memory>

#include "agent/service.hpp"
#include "net/rate_limiter.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::agent {

/// The node's limits, where all that moves blobs finds them: the swarm by the accounts that it
/// charges, reads from registries by a line before the same accounts. One thread.
class Rates {
 public:
  Rates(net::Executor, const AgentRates&, const Clock&);

  const AgentRates& values() const { return values_; }
  /// For reads straight from registries: charged as downloads and as traffic from the origin.
  std::shared_ptr<net::RateLimiter> registry() const { return registry_; }
  void limit(swarm::EngineOptions&) const;
  /// From now on; `engine` may be null.
  void change(const AgentRates&, swarm::Engine* engine);

 private:
  swarm::UploadShares shares() const {
    return {values_.upload_per_peer, values_.upload_background};
  }

  const Clock& clock_;
  AgentRates values_;
  std::shared_ptr<TokenBucket> download_, origin_;
  std::shared_ptr<net::RateLimiter> upload_, registry_;
};

}  // namespace convoy::agent
