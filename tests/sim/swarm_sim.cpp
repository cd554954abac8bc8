#include "sim/swarm_sim.hpp"

#include "base/random.hpp"
#include "sim/crowd.hpp"

namespace convoy::sim {

struct SwarmSim::Impl {
  explicit Impl(SwarmOptions o)
      : options(std::move(o)), random(options.seed), crowd(options, random) {
    starts.resize(options.nodes + 1);
    const auto spread = static_cast<std::uint64_t>(options.spread.count());
    for (std::uint32_t i = 1; i < starts.size(); ++i) {
      starts[i] = Duration(spread == 0 ? 0 : static_cast<Duration::rep>(random.below(spread)));
    }
  }

  void start_later(std::uint32_t node, Duration t) {
    ++pending;
    crowd.events().at(Instant(t), Events::kNobody, [this, node] {
      --pending;
      crowd.start(node);
    });
  }

  SwarmOptions options;
  SeededRandom random;
  Crowd crowd;
  std::vector<Duration> starts;
  int pending = 0;  ///< lives that are still to begin
};

SwarmSim::SwarmSim(SwarmOptions o) : impl_(std::make_unique<Impl>(std::move(o))) {}
SwarmSim::~SwarmSim() = default;

void SwarmSim::kill(std::uint32_t node, Duration t) {
  impl_->crowd.events().at(Instant(t), Events::kNobody,
                           [im = impl_.get(), node] { im->crowd.stop(node); });
}
void SwarmSim::revive(std::uint32_t node, Duration t) { impl_->start_later(node, t); }
void SwarmSim::start_at(std::uint32_t node, Duration t) { impl_->starts[node] = t; }
void SwarmSim::set_rate(std::uint32_t node, std::uint64_t rate) {
  impl_->crowd.links().set_rate(node, rate);
}
void SwarmSim::corrupt(std::uint32_t node) { impl_->crowd.corrupt(node); }
void SwarmSim::cut(std::uint32_t a, std::uint32_t b) { impl_->crowd.cut(a, b); }
void SwarmSim::tracker_down(Duration from, Duration to) {
  impl_->crowd.tracker().down(Instant(from), Instant(to));
}
const std::vector<std::string>& SwarmSim::reported() const { return impl_->crowd.reports(); }

SwarmResult SwarmSim::run() {
  Impl& im = *impl_;
  im.crowd.start(0);
  for (std::uint32_t i = 1; i < im.starts.size(); ++i) im.start_later(i, im.starts[i]);
  const Instant end(im.options.limit);
  while (im.pending > 0 || im.crowd.downloading() > 0) {
    if (!im.crowd.events().run_next(end)) break;
  }
  return im.crowd.result();
}

}  // namespace convoy::sim
