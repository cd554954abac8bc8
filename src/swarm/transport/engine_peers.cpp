#include "swarm/transport/engine_impl.hpp"

// Connections on their way in and out, until the gate is open.
namespace convoy::swarm {
namespace {

constexpr Duration kConnectTime = std::chrono::seconds(3);

}  // namespace

/// Counts a connection whose gate is not open yet, in all and by address.
class EngineImpl::Arriving {
 public:
  Arriving(EngineImpl& e, std::string ip) : engine_(e), ip_(std::move(ip)) {
    ++engine_.arriving_;
    ++engine_.arriving_by_ip_[ip_];
  }
  ~Arriving() {
    --engine_.arriving_;
    const auto it = engine_.arriving_by_ip_.find(ip_);
    if (--it->second == 0) engine_.arriving_by_ip_.erase(it);
  }
  Arriving(const Arriving&) = delete;
  Arriving& operator=(const Arriving&) = delete;

 private:
  EngineImpl& engine_;
  std::string ip_;
};

net::Task<void> EngineImpl::accept_loop() {
  while (!stopping_) {
    auto accepted = co_await listener_->accept();
    if (!accepted) {
      if (accepted.error().kind() == ErrorClass::cancelled) co_return;
      env_.log.error("cannot accept peers", {{"detail", accepted.error().text()}});
      const bool go_on = co_await net::sleep_for(std::chrono::seconds(1));
      if (!go_on) co_return;
      continue;
    }
    const std::string ip = (*accepted)->remote().ip;
    const auto it = arriving_by_ip_.find(ip);
    const std::size_t same = it == arriving_by_ip_.end() ? 0 : it->second;
    if (arriving_ >= kMaxArriving || same >= kMaxArrivingPerIp) {
      note_refused(exhausted("peer_limit"), ip, "", "", "");
      continue;
    }
    const auto plain = std::make_shared<net::StreamPtr>(*std::move(accepted));
    env_.tasks.spawn([this, plain] { return serve(std::move(*plain)); });
  }
}

net::Task<void> EngineImpl::serve(net::StreamPtr plain) {
  const std::string ip = plain->remote().ip;
  const Arriving arriving(*this, ip);
  const SteadyTime until = env_.now() + options_.gate_time;
  auto secured = co_await net::tls_accept(std::move(plain), server_, options_.gate_time);
  if (!secured) {
    if (secured.error().kind() != ErrorClass::cancelled) {
      note_refused(secured.error(), ip, "", "", "");
    }
    co_return;
  }
  net::StreamPtr stream = *std::move(secured);
  const auto torrent = lookup(stream->tls()->server_name);
  if (torrent == nullptr) {  // removed during the handshake
    note_refused(not_found("torrent_unknown"), ip, "", "", "");
    co_return;
  }
  const auto who = peer_identity(*stream->tls(), env_.cluster);
  const std::string node = who ? who->node : "";
  const bool ready = co_await torrent->ensure_ticket();
  if (!ready) {
    env_.log.warn("no ticket to answer a peer with", {{"ip", ip}});
    co_return;
  }
  const GateTorrent gate = torrent->gate(true);
  auto passed = co_await pass_gate(env_, std::move(stream), gate, until - env_.now());
  Status taken;
  if (passed) {
    taken = torrent->admit(*std::move(passed));
  } else {
    taken = passed.error();
  }
  if (taken || taken.error().code() == "peer_duplicate") co_return;
  if (taken.error().kind() == ErrorClass::cancelled) co_return;
  refused(taken.error(), ip, node, torrent->meta(), gate.request_id);
}

net::Task<Result<Admitted>> EngineImpl::dial(bt::PeerEndpoint address, GateTorrent gate) {
  if (stopping_) co_return cancelled();
  auto plain = co_await net::tcp_connect(env_.executor, address.ip, address.port, kConnectTime,
                                         options_.bind_ip, kCongestionControl);
  if (!plain) co_return plain.error();
  const SteadyTime until = env_.now() + options_.gate_time;
  const std::string name = bt::short_hex(gate.info_hash);
  auto secured = co_await net::tls_connect(*std::move(plain), client_, name, options_.gate_time);
  if (!secured) co_return secured.error();
  auto passed = co_await pass_gate(env_, *std::move(secured), std::move(gate), until - env_.now());
  co_return passed;
}

void EngineImpl::refused(const Error& why, const std::string& ip, const std::string& node,
                         const bt::BlobMeta& meta, const std::string& request_id) {
  note_refused(why, ip, node, meta.digest.str(), request_id);
}

void EngineImpl::note_refused(const Error& why, const std::string& ip, const std::string& node,
                              const std::string& digest, const std::string& request_id) {
  env_.metrics.refused(why.code());
  env_.log.warn("peer refused", {{"ip", ip},
                                 {"peer", node},
                                 {"reason", why.code()},
                                 {"detail", why.detail()},
                                 {"digest", digest},
                                 {"request_id", request_id}});
  security::AuditEvent event;
  event.action = "peer.refuse";
  event.outcome = security::AuditOutcome::refused;
  event.actor = event.node = node;
  event.remote_ip = ip;
  event.digest = digest;
  event.reason = why.code();
  event.request_id = request_id;
  env_.audit.record(std::move(event));
}

}  // namespace convoy::swarm
