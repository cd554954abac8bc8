#include "agent/rates.hpp"

namespace convoy::agent {

Rates::Rates(net::Executor executor, const AgentRates& values, const Clock& clock)
    : clock_(clock),
      values_(values),
      download_(std::make_shared<TokenBucket>(values.download)),
      origin_(std::make_shared<TokenBucket>(values.origin)),
      upload_(std::make_shared<net::RateLimiter>(executor, values.upload)),
      registry_(std::make_shared<net::RateLimiter>(
          executor, net::RateLimiter::Buckets{download_, origin_})) {}

void Rates::limit(swarm::EngineOptions& engine) const {
  engine.upload = upload_;
  engine.download = download_;
  engine.from_origin = origin_;
  engine.shares = shares();
}

void Rates::change(const AgentRates& values, swarm::Engine* engine) {
  values_ = values;
  download_->set_rate(values.download, clock_.steady());
  origin_->set_rate(values.origin, clock_.steady());
  upload_->set_rate(values.upload);
  registry_->rates_changed();
  if (engine != nullptr) engine->rates_changed(shares());
}

}  // namespace convoy::agent
