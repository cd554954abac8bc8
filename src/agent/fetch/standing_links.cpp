#include "agent/fetch/standing_links.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

}  // namespace

void StandingLinks::greet() {
  const ClusterLinkPtr link = cluster_.link();
  if (!link) return;
  const Deadline deadline = Deadline::in(clock_, kPatience);
  tasks_.spawn([tracker = link->tracker, deadline] { return tracker->hello(deadline); });
  for (const UpstreamPtr& upstream : upstreams_.all()) {
    if (!link->registries.contains(upstream->host.str())) continue;
    tasks_.spawn([client = upstream->client, id = random_.hex(8), deadline] {
      return client->hello(id, deadline);
    });
  }
}

net::Task<void> StandingLinks::run() {
  for (;;) {
    // Nodes that start together do not go on calling together.
    const Duration sooner(random_.below(static_cast<std::uint64_t>(period_.count()) / 2));
    const bool awake = co_await net::sleep_for(period_ - sooner);
    if (!awake) co_return;
    greet();
  }
}

}  // namespace convoy::agent
