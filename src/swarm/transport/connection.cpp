#include "swarm/transport/connection.hpp"

#include <algorithm>
#include <cstring>

namespace convoy::swarm {
namespace {

constexpr std::size_t kFirstBuffer = 4 * 1024;
constexpr std::size_t kBlockBuffer = 96 * 1024;
constexpr Duration kKeepAlive = std::chrono::seconds(45);
/// Between two records of control messages: where many are sent, they share records.
constexpr Duration kPause = std::chrono::milliseconds(5);
constexpr std::size_t kFullRecord = 1024;
constexpr Duration kIdle = std::chrono::seconds(120);
/// Messages that are handled before the loop gets a turn.
constexpr std::size_t kMostInARow = 256;
/// A peer that takes nothing of what it asked for, and goes on asking.
constexpr std::size_t kMaxBacklog = 4U << 20;

}  // namespace

Connection::Connection(Env& env, std::shared_ptr<ConnectionOwner> owner,
                       std::shared_ptr<ReadCache> cache, core::PeerRef ref, Admitted admitted)
    : env_(env),
      owner_(std::move(owner)),
      cache_(std::move(cache)),
      ref_(ref),
      admitted_(std::move(admitted)),
      since_(env.now()),
      wake_(env.executor) {}

void Connection::start() {
  admitted_.stream->set_idle_timeout(kIdle);
  loops_ = 2;
  env_.tasks.spawn([self = shared_from_this()] { return self->read_loop(); });
  env_.tasks.spawn([self = shared_from_this()] { return self->write_loop(); });
}

void Connection::renew_ticket(const TicketFacts& facts, std::string_view ticket) {
  admitted_.extension.ticket = ticket;
  admitted_.actions = facts.actions;
  admitted_.ticket_expires = facts.expires;
}

void Connection::show_ticket(std::string_view ticket, SteadyTime expires) {
  const auto id = extension().ids.find(std::string(bt::kExtTicket));
  if (id == extension().ids.end()) return;
  admitted_.shown_until = expires;
  send(bt::Extended{id->second, to_bytes(as_bytes(ticket))});
}

void Connection::send(const bt::Message& m, Duration wait) {
  if (closed_) return;
  if (std::holds_alternative<bt::Hashes>(m)) ++answers_;
  const SteadyTime due = wait == Duration{} ? SteadyTime{} : env_.now() + wait;
  out_due_ = std::min(out_due_, std::max(control_after_, due));
  bt::encode(m, out_);
  if (out_.size() > kMaxBacklog) return close(exhausted("peer_backlog"));
  if (waiting_ && control_due() < waits_until_) wake_.notify_all();
}

/// When what is written down has to leave.
SteadyTime Connection::control_due() const {
  return out_.size() >= kFullRecord ? SteadyTime{} : out_due_;
}

void Connection::send_blocks(std::vector<bt::BlockRef> blocks, std::uint64_t ticket) {
  blocks_ = std::move(blocks);
  ticket_ = ticket;
  if (waiting_) wake_.notify_all();
}

void Connection::close(Error why) {
  if (closed_) return;
  closed_ = true;
  why_ = std::move(why);
  admitted_.stream->abort();
  wake_.notify_all();
}

/// One of the two loops is over; the second one to end tells the owner.
void Connection::part(Error why) {
  close(std::move(why));
  if (--loops_ > 0) return;
  if (!blocks_.empty()) owner_->on_sent(*this, {}, ticket_);
  if (answers_ > 0) owner_->on_hashes_sent(*this, answers_);
  owner_->on_closed(*this, *why_);
}

void Connection::grow(std::size_t needed) {
  if (in_.size() < needed) in_.resize(needed);
}

/// Handles whole messages at the front of the buffer, few at a time. False: the connection is over.
bool Connection::handle(std::size_t& filled) {
  std::size_t used = 0;
  bool alive = true;
  while (alive && !closed_ && in_a_row_ < kMostInARow) {
    const ByteView rest = ByteView(in_).subspan(used, filled - used);
    auto decoded = bt::decode_message(rest);
    if (!decoded) {
      close(invalid("peer_violation", decoded.error().text()));
      break;
    }
    if (!decoded->message) {
      if (rest.size() >= 4) {
        const std::size_t length = std::size_t{rest[0]} << 24 | std::size_t{rest[1]} << 16 |
                                   std::size_t{rest[2]} << 8 | rest[3];
        // A block shows that more of them come: read several at once.
        grow(length > kFirstBuffer ? std::max(kBlockBuffer, length + 4) : length + 4);
      }
      break;
    }
    used += decoded->consumed;
    ++in_a_row_;
    alive = owner_->on_message(*this, *decoded->message);
  }
  std::memmove(in_.data(), in_.data() + used, filled - used);
  filled -= used;
  owner_->on_batch();
  return alive && !closed_;
}

net::Task<void> Connection::read_loop() {
  const auto self = shared_from_this();
  in_ = std::move(admitted_.rest);
  std::size_t filled = in_.size();
  grow(kFirstBuffer);
  std::optional<Error> why;
  while (!why) {
    if (filled > 0 && !handle(filled)) {
      why = cancelled();
      break;
    }
    if (in_a_row_ >= kMostInARow) {
      in_a_row_ = 0;
      const bool alive = co_await net::sleep_for(Duration::zero());
      if (!alive) why = cancelled();
      continue;
    }
    admitted_.stream->read_whole_records(owner_->shares_link());
    const auto n = co_await admitted_.stream->read_some(MutableByteView(in_).subspan(filled));
    if (!n) {
      why = n.error();
    } else if (*n == 0) {
      why = unavailable("peer_closed");
    } else {
      filled += *n;
    }
  }
  part(*std::move(why));
}

/// Writes what is written down, and `bulk` behind it: news cost least beside a block.
net::Task<Status> Connection::write_control(ByteView bulk) {
  writing_.clear();
  writing_.swap(out_);
  out_due_ = SteadyTime::max();
  control_after_ = env_.now() + kPause;
  const std::size_t answers = std::exchange(answers_, 0);
  const Status sent = co_await admitted_.stream->write(writing_, bulk);
  if (answers > 0) owner_->on_hashes_sent(*this, answers);
  co_return sent;
}

net::Task<Status> Connection::write_blocks() {
  const std::uint32_t lowat = env_.uplink.lowat();
  if (lowat != lowat_) {
    lowat_ = lowat;
    admitted_.stream->set_notsent_lowat(lowat);
  }
  std::size_t at = 0;
  while (at < blocks_.size()) {
    const bt::BlockRef first = blocks_[at];
    const std::shared_ptr<const Chunk> chunk = co_await cache_->get(first);
    if (chunk == nullptr) co_return internal_error("peer_read_failed");
    const auto n = static_cast<std::uint32_t>(
        std::min<std::size_t>(cache_->blocks_left(first), blocks_.size() - at));
    const Status sent = co_await write_control(cache_->view(*chunk, first, n));
    if (!sent) co_return sent;
    at += n;
  }
  const std::vector<bt::BlockRef> done = std::exchange(blocks_, {});
  owner_->on_sent(*this, done, ticket_);  // may put in the next ones at once
  co_return Status{};
}

net::Task<Status> Connection::write_something() {
  if (!blocks_.empty()) {
    co_return co_await write_blocks();
  }
  if (control_due() <= env_.now()) {
    co_return co_await write_control({});
  }
  co_await wait_for_more();
  co_return Status{};
}

net::Task<void> Connection::wait_for_more() {
  const SteadyTime now = env_.now();
  waits_until_ = std::min(control_due(), now + kKeepAlive);
  waiting_ = true;
  const bool told = co_await wake_.wait(waits_until_ - now);
  waiting_ = false;
  if (!told && control_due() == SteadyTime::max()) send(bt::KeepAlive{});
}

net::Task<void> Connection::write_loop() {
  const auto self = shared_from_this();
  Status sent;
  while (!closed_ && sent) sent = co_await write_something();
  part(sent ? cancelled() : sent.error());
}

}  // namespace convoy::swarm
