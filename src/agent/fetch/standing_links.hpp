#pragma once

#include "agent/identity/cluster.hpp"
#include "agent/upstream.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/task_group.hpp"

namespace convoy::agent {

/// Keeps, between pulls, a connection to the tracker and to each registry of the cluster open and
/// what the registry demands known: three round trips that the first byte of a pull does not wait
/// for. Trouble is left for the pull to find. One thread.
class StandingLinks {
 public:
  /// `period`: the most that a link is silent; less than clients keep an idle connection.
  StandingLinks(const Cluster& cluster, const Upstreams& upstreams, net::TaskGroup& tasks,
                const Clock& clock, Random& random, Duration period = std::chrono::seconds(40))
      : cluster_(cluster),
        upstreams_(upstreams),
        tasks_(tasks),
        clock_(clock),
        random_(random),
        period_(period) {}

  /// Says something on every link, opening those that are not.
  void greet();
  /// Does so from time to time until cancelled.
  net::Task<void> run();

 private:
  const Cluster& cluster_;
  const Upstreams& upstreams_;
  net::TaskGroup& tasks_;
  const Clock& clock_;
  Random& random_;
  const Duration period_;
};

}  // namespace convoy::agent
