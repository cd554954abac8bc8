#include "swarm/transport/gate_session.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "swarm/core/gate.hpp"
#include "swarm/core/limits.hpp"

namespace convoy::swarm {
namespace {

constexpr std::size_t kBuffer = core::Gate::kMaxMessage + 4 + bt::kHandshakeSize + 4096;

std::uint32_t to_ms(Duration d) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return static_cast<std::uint32_t>(std::clamp<decltype(ms)>(ms, 0, UINT32_MAX));
}

Bytes greeting(const Env& env, const GateTorrent& t) {
  bt::Handshake h;
  std::copy_n(t.info_hash.begin(), h.info_hash.size(), h.info_hash.begin());
  h.peer_id = env.peer_id;
  Bytes out = bt::encode(h);
  bt::ExtensionHandshake e;
  e.ids[std::string(bt::kExtTicket)] = kTicketId;
  e.ids[std::string(bt::kExtDontHave)] = kDontHaveId;
  e.client = "Convoy";
  e.max_requests = core::kMaxQueuedRequests;
  e.listen_port = env.listen_port;
  e.ticket = t.ticket;
  e.request_id = t.request_id;
  e.age_ms = to_ms(t.age);
  const Bytes payload = bt::encode(e);
  bt::encode(bt::Extended{0, payload}, out);
  return out;
}

}  // namespace

struct Guard::State {
  State(net::Executor e, net::Stream& s) : timer(e), stream(&s) {}
  net::asio::steady_timer timer;
  net::Stream* stream;
  bool fired = false;
};

Guard::Guard(net::Executor executor, net::Stream& stream, Duration d)
    : state_(std::make_shared<State>(executor, stream)) {
  state_->timer.expires_after(d);
  state_->timer.async_wait([state = state_](const boost::system::error_code& ec) {
    if (ec || state->stream == nullptr) return;
    state->fired = true;
    state->stream->abort();
  });
}

Guard::~Guard() {
  state_->stream = nullptr;
  state_->timer.cancel();
}

bool Guard::fired() const { return state_->fired; }

Result<TicketFacts> check_ticket(const Env& env, std::string_view ticket, const PeerIdentity& peer,
                                 const bt::InfoHash& info_hash, const oci::Digest& digest) {
#ifdef CONVOY_TEST_OPEN_GATE
  static_cast<void>(ticket);
  static_cast<void>(info_hash);
  static_cast<void>(digest);
  static_cast<void>(peer);
  return TicketFacts{{true, true}, env.clock.wall() + std::chrono::hours(1)};
#else
  if (ticket.empty()) return unauthorized("ticket_missing");
  const security::TicketDemand demand{digest, info_hash, {}};
  auto good = env.tickets.verify(ticket, peer.certificate, demand);
  if (!good) return std::move(good).error();
  return TicketFacts{good->actions, std::min(good->expires, peer.certificate.not_after()),
                     good->zone};
#endif
}

net::Task<Result<Admitted>> pass_gate(Env& env, net::StreamPtr stream, GateTorrent torrent,
                                      Duration limit) {
  if (!stream->tls()) co_return denied("peer_not_tls");
  auto peer = peer_identity(*stream->tls(), env.cluster);
  if (!peer) co_return std::move(peer).error();
  if (peer->node == env.self) co_return denied("gate_self");

  Admitted out{
      std::move(stream),     *peer, {}, {}, {}, {}, {}, {}, !torrent.incoming, env.identity,
      torrent.ticket_expires};
  std::array<std::uint8_t, 20> short_hash{};
  std::copy_n(torrent.info_hash.begin(), short_hash.size(), short_hash.begin());
  core::Gate gate(short_hash, env.peer_id, [&](std::string_view ticket) -> Status {
    auto facts = check_ticket(env, ticket, *peer, torrent.info_hash, torrent.digest);
    if (!facts) return std::move(facts).error();
    out.actions = facts->actions;
    out.zone = facts->zone;
    out.ticket_expires = facts->expires;
    return {};
  });
  const Guard guard(env.executor, *out.stream, limit);
  const Bytes hello = greeting(env, torrent);
  bool greeted = false;
  Bytes buffer(kBuffer);
  std::size_t filled = 0;
  while (!gate.open()) {
    if (!greeted && (!torrent.incoming || gate.greeted())) {
      greeted = true;
      const Status sent = co_await out.stream->write(hello);
      if (!sent) co_return guard.fired() ? timed_out("gate_timeout") : sent.error();
    }
    if (filled == buffer.size()) co_return too_large("gate_too_large");
    const auto got = co_await out.stream->read_some(MutableByteView(buffer).subspan(filled));
    if (guard.fired()) co_return timed_out("gate_timeout");
    if (!got) co_return got.error();
    if (*got == 0) co_return unavailable("gate_closed");
    filled += *got;
    const auto used = gate.feed(ByteView(buffer).first(filled));
    if (!used) co_return used.error();
    std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(*used),
              buffer.begin() + static_cast<std::ptrdiff_t>(filled), buffer.begin());
    filled -= *used;
  }
  if (!greeted) {
    const Status sent = co_await out.stream->write(hello);
    if (!sent) co_return guard.fired() ? timed_out("gate_timeout") : sent.error();
  }
  out.peer_id = gate.peer_id();
  out.extension = gate.extension();
  out.rest.assign(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(filled));
  co_return out;
}

}  // namespace convoy::swarm
