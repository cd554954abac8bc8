#include "sim/links.hpp"

#include <algorithm>
#include <cmath>

namespace convoy::sim {
namespace {

constexpr std::uint64_t kSocketBuffers = 256 << 10;
constexpr double kSegment = 1448;  // bytes of payload in a packet

/// What TCP reaches under random loss: segment / RTT * sqrt(3/2) / sqrt(loss) (Mathis et al.,
/// 1997).
std::uint64_t tcp_under_loss(const SwarmOptions& o) {
  if (o.loss <= 0) return 0;
  const double rtt = 2 * std::chrono::duration<double>(o.delay + o.jitter).count();
  return static_cast<std::uint64_t>(kSegment / std::max(rtt, 1e-6) * std::sqrt(1.5 / o.loss));
}

}  // namespace

Links::Links(const SwarmOptions& o, Random& random)
    : options_(o),
      random_(random),
      ends_(o.nodes + 1),
      lines_(std::size_t{o.zones} * o.zones),
      flow_rate_(tcp_under_loss(o)) {
  for (std::uint32_t i = 0; i < ends_.size(); ++i) {
    ends_[i].rate = o.rate;
    ends_[i].zone = i == 0 ? 0 : (i - 1) % o.zones;
  }
  if (o.origin_rate != 0) ends_[0].rate = o.origin_rate;
}

Duration Links::time_of(std::uint64_t bytes, std::uint64_t rate) const {
  const double carried = static_cast<double>(rate) * (1 - options_.loss);
  return Duration(static_cast<Duration::rep>(static_cast<double>(bytes) * 1e9 / carried));
}

Duration Links::random_up_to_twice(Duration mean) {
  if (mean <= Duration{}) return {};
  return Duration(
      static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(2 * mean.count()))));
}

Instant Links::cross(std::uint32_t from, std::uint32_t to, std::uint64_t bytes, Instant begin) {
  const std::uint32_t a = ends_[from].zone, b = ends_[to].zone;
  if (a == b) return begin;
  over_border_ += bytes;
  if (options_.border_rate == 0) return begin;
  Instant& line = lines_[std::size_t{a} * options_.zones + b];
  line = std::max(line, begin) + time_of(bytes, options_.border_rate);
  return line;
}

Instant Links::in_order(std::uint32_t from, std::uint32_t to, Instant when) {
  if (options_.jitter <= Duration{} && options_.react <= Duration{}) return when;
  Instant& last = last_[{from, to}];
  return last = std::max(last, when);
}

Links::Passage Links::data(std::uint32_t from, std::uint32_t to, std::uint64_t bytes, Instant now) {
  End& a = ends_[from];
  End& b = ends_[to];
  const Duration took = time_of(bytes, a.rate);
  const Instant begin = now + options_.delay + random_up_to_twice(options_.jitter);
  Instant through = std::max(begin + took, cross(from, to, bytes, begin));
  if (flow_rate_ != 0) {
    Instant& flow = flow_[{from, to}];
    flow = std::max(flow, now) + time_of(bytes, flow_rate_);
    through = std::max(through, flow + options_.delay);
  }
  b.down_free = std::max(b.down_free, begin) + time_of(bytes, b.rate);
  Passage p;
  p.sent = a.up_free = now + took;
  p.arrived = in_order(from, to, std::max(through, b.down_free));
  p.next = std::max(p.sent, p.arrived - options_.delay - time_of(kSocketBuffers, a.rate));
  return p;
}

Instant Links::message(std::uint32_t from, std::uint32_t to, std::uint64_t bytes, Instant now) {
  End& a = ends_[from];
  End& b = ends_[to];
  a.up_free = std::max(a.up_free, now) + time_of(bytes, a.rate);
  const Instant left = options_.queues ? a.up_free : now;
  const Instant line = cross(from, to, bytes, left);
  Instant when = (options_.queues ? line : left) + options_.delay;
  b.down_free = std::max(b.down_free, when) + time_of(bytes, b.rate);
  if (options_.queues) when = b.down_free;
  when += random_up_to_twice(options_.jitter) + random_up_to_twice(options_.react);
  return in_order(from, to, when);
}

}  // namespace convoy::sim
