#include "swarm/transport/uplink.hpp"

#include <algorithm>
#include <utility>

#include "wire/bt/metadata.hpp"

namespace convoy::swarm {
namespace {

constexpr std::size_t kFlights = 2;
constexpr std::uint64_t kMaxQuantum = net::RateLimiter::kMost;
constexpr std::uint64_t kBackgroundTurn = 8;
/// The wait that made others give way may be over before their limit lets go on.
constexpr Duration kLookAgain = std::chrono::milliseconds(50);

}  // namespace

Uplink::Uplink(net::Executor executor, net::TaskGroup& tasks,
               std::shared_ptr<net::RateLimiter> limiter, const core::Traffic& traffic,
               const Clock& clock)
    : executor_(executor),
      tasks_(tasks),
      limiter_(std::move(limiter)),
      clock_(clock),
      traffic_(traffic) {}

std::uint64_t Uplink::quantum() const {
  const double rate = limiter_ && limiter_->rate() > 0
                          ? std::min(this->rate(), static_cast<double>(limiter_->rate()))
                          : this->rate();
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rate / 250), bt::kBlockSize,
                                   kMaxQuantum);
}

std::uint32_t Uplink::lowat() const {
  // Steps of two, so that the option is not set again with every block.
  std::uint32_t bytes = bt::kBlockSize;
  while (bytes < rate() / 500 && bytes < 512 * 1024) bytes *= 2;
  return bytes;
}

Duration Uplink::patience() const {
  const double r = std::max(rate(), 1.0);
  const std::chrono::duration<double> d(4 * static_cast<double>(quantum()) / r);
  return std::clamp<Duration>(
      std::chrono::duration_cast<Duration>(std::min(d, std::chrono::duration<double>(1))),
      std::chrono::milliseconds(20), std::chrono::milliseconds(200));
}

std::size_t Uplink::young(SteadyTime now) const {
  const Duration limit = patience();
  return static_cast<std::size_t>(std::count_if(
      flights_.begin(), flights_.end(), [&](const Flight& f) { return now - f.since < limit; }));
}

void Uplink::wake(const std::shared_ptr<UploadSource>& source) {
  const bool known = std::any_of(sources_.begin(), sources_.end(),
                                 [&](const auto& w) { return w.lock() == source; });
  if (!known) sources_.push_back(source);
  pump();
}

void Uplink::done(std::uint64_t ticket, std::uint64_t bytes) {
  std::erase_if(flights_, [ticket](const Flight& f) { return f.ticket == ticket; });
  meter_.add(bytes, clock_.steady());
  pump();
}

bool Uplink::pay() {
  if (limiter_ == nullptr || limiter_->rate() == 0) return true;
  // What passes at once is there when spawn() returns, and the pump() behind it did nothing.
  while (credit_ <= 0 && !acquiring_) {
    acquiring_ = true;
    tasks_.spawn([this] { return acquire(); });
  }
  return credit_ > 0;
}

net::Task<void> Uplink::acquire() {
  const std::uint64_t bytes = quantum();
  const bool got = co_await limiter_->acquire(bytes, net::RateLimiter::Line::swarm);
  acquiring_ = false;
  if (!got) co_return;
  credit_ += static_cast<std::int64_t>(bytes);
  pump();
}

bool Uplink::may_send() {
  if (flights_.size() >= kFlights && young(clock_.steady()) >= kFlights) {
    look_again(patience());
    return false;
  }
  return pay();
}

void Uplink::look_again(Duration wait) {
  if (std::exchange(watching_, true)) return;
  tasks_.spawn([this, wait] { return watch(wait); });
}

net::Task<void> Uplink::watch(Duration wait) {
  const bool go_on = co_await net::sleep_for(wait);
  watching_ = false;
  if (go_on) pump();
}

void Uplink::limit_background(std::uint64_t rate) {
  background_.set_rate(rate, clock_.steady());
  pump();
}

/// Takes the source whose turn it is out of the row; null when there is none, or the limit of the
/// background holds back all there are.
Uplink::Source Uplink::next_turn() {
  std::erase_if(sources_, [](const auto& source) { return source.expired(); });
  std::vector<Source> front, back;
  for (const auto& known : sources_) {
    const Source source = known.lock();
    (traffic_.waiting > 0 && source->background() ? back : front).push_back(source);
  }
  const Duration wait = back.empty() ? Duration::zero() : background_.wait(clock_.steady());
  if (wait > Duration::zero()) {
    if (front.empty()) look_again(std::min<Duration>(wait, kLookAgain));
    back.clear();
  }
  const bool behind = !back.empty() && (front.empty() || ++contended_turns_ % kBackgroundTurn == 0);
  const auto& row = behind ? back : front;
  if (row.empty()) return nullptr;
  auto& turns = behind ? background_turns_ : foreground_turns_;
  const Source chosen =
      *turns.next(row.begin(), row.end(), [](const Source& s) { return s->rank(); });
  std::erase_if(sources_, [&chosen](const auto& known) { return known.lock() == chosen; });
  return chosen;
}

void Uplink::pump() {
  if (pumping_) return;  // send_next() may finish at once and call done()
  pumping_ = true;
  while (!sources_.empty() && may_send()) {
    const Source source = next_turn();
    if (source == nullptr) break;
    const std::uint64_t ticket = ++tickets_;
    flights_.push_back({ticket, clock_.steady()});
    const std::uint64_t bytes = source->send_next(ticket, quantum());
    if (bytes == 0) {
      std::erase_if(flights_, [ticket](const Flight& f) { return f.ticket == ticket; });
      continue;
    }
    credit_ = std::max<std::int64_t>(credit_ - static_cast<std::int64_t>(bytes),
                                     -static_cast<std::int64_t>(kMaxQuantum));
    if (traffic_.waiting > 0 && source->background()) background_.take(bytes);
    sources_.push_back(source);
  }
  pumping_ = false;
}

}  // namespace convoy::swarm
