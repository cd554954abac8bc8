#include <algorithm>

#include "swarm/transport/engine_impl.hpp"

namespace convoy::swarm {
namespace {

bool is_short_hash(std::string_view sni) {
  return sni.size() == 40 && std::all_of(sni.begin(), sni.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::make(net::Executor executor, net::WorkerPool& pool,
                                             EngineOptions options, const Clock& clock,
                                             Random& random, security::AuditLog& audit,
                                             net::Metrics& metrics, Logger log) {
  auto engine = std::make_unique<EngineImpl>(executor, pool, std::move(options), clock, random,
                                             audit, metrics, std::move(log));
  if (auto opened = engine->open(); !opened) return std::move(opened).error();
  return std::unique_ptr<Engine>(std::move(engine));
}

EngineImpl::EngineImpl(net::Executor executor, net::WorkerPool& pool, EngineOptions options,
                       const Clock& clock, Random& random, security::AuditLog& audit,
                       net::Metrics& metrics, Logger log)
    : options_(std::move(options)),
      env_(executor, pool, options_, clock, random, audit, metrics, std::move(log)) {}

EngineImpl::~EngineImpl() = default;

Status EngineImpl::open() {
  auto self = own_identity(options_.identity.chain_pem, options_.cluster);
  if (!self) return std::move(self).error();
  env_.self = *self;
  const std::string roots = crypto::chain_pem(options_.roots);
  net::TlsServerOptions server;
  server.identity = options_.identity;
  server.client_certificate = net::PeerCertificate::required;
  server.client_roots_pem = roots;
  server.tls13_only = true;
  server.kernel_sends = options_.kernel_tls;
  server.accept_server_name = [this](std::string_view sni) { return serves(sni); };
  auto server_context = net::TlsServerContext::make(std::move(server));
  if (!server_context) return std::move(server_context).error();
  server_ = *std::move(server_context);
  net::TlsClientOptions client;
  client.identity = options_.identity;
  client.roots_pem = roots;
  client.tls13_only = true;
  client.kernel_sends = options_.kernel_tls;
  client.verify_name = false;  // who it is says its SPIFFE id, checked behind the handshake
  auto client_context = net::TlsClientContext::make(std::move(client));
  if (!client_context) return std::move(client_context).error();
  client_ = *std::move(client_context);
  auto listener = net::Listener::open(env_.executor, options_.listen, kCongestionControl);
  if (!listener) return std::move(listener).error();
  listener_ = *std::move(listener);
  env_.listen_port = listener_->local().port;
  env_.tasks.spawn([this] { return accept_loop(); });
  return {};
}

std::shared_ptr<TorrentImpl> EngineImpl::lookup(std::string_view short_hex) const {
  const auto it = torrents_.find(short_hex);
  return it == torrents_.end() ? nullptr : it->second;
}

bool EngineImpl::serves(std::string_view sni) {
  if (!is_short_hash(sni)) return false;
  if (lookup(sni) != nullptr) return true;
  return on_unknown_ && on_unknown_(sni) && lookup(sni) != nullptr;
}

Result<std::shared_ptr<Torrent>> EngineImpl::add(TorrentSpec spec) {
  if (stopping_) return cancelled("engine_stopped");
  if (spec.io == nullptr || spec.meta.size == 0) return invalid("torrent_invalid");
  if (!spec.have.empty() && spec.have.size() != spec.meta.piece_count()) {
    return invalid("torrent_invalid", "have");
  }
  const std::string key = bt::short_hex(spec.info_hash);
  if (const auto known = lookup(key)) {
    if (known->info_hash() != spec.info_hash || known->meta() != spec.meta) {
      return conflict("torrent_differs");
    }
    known->merge(spec);
    return std::shared_ptr<Torrent>(known);
  }
  Dialer& dialer = *this;
  auto torrent =
      std::make_shared<TorrentImpl>(env_, dialer, std::move(spec), options_.expected_rate);
  torrents_.emplace(key, torrent);
  torrent->start();
  return std::shared_ptr<Torrent>(torrent);
}

std::shared_ptr<Torrent> EngineImpl::find(const bt::InfoHash& hash) {
  return lookup(bt::short_hex(hash));
}

void EngineImpl::remove(const bt::InfoHash& hash) {
  const auto it = torrents_.find(bt::short_hex(hash));
  if (it == torrents_.end()) return;
  const auto torrent = it->second;
  torrents_.erase(it);
  torrent->stop();
}

Status EngineImpl::replace_identity(net::TlsIdentity identity) {
  auto self = own_identity(identity.chain_pem, options_.cluster);
  if (!self) return std::move(self).error();
  if (*self != env_.self) return invalid("tls_identity_invalid", "another node's certificate");
  if (auto done = server_->replace_identity(identity); !done) return done;
  if (auto done = client_->replace_identity(identity); !done) return done;
  options_.identity = std::move(identity);
  ++env_.identity;
  for (const auto& [key, torrent] : torrents_) torrent->identity_replaced();
  return {};
}

void EngineImpl::rates_changed(const UploadShares& shares) {
  options_.shares = shares;
  env_.traffic->limit_each_upload(shares.each_peer, env_.now());
  env_.uplink.limit_background(shares.background);
  for (const auto& [key, torrent] : torrents_) torrent->limits_changed();
}

net::Task<void> EngineImpl::stop() {
  stopping_ = true;
  if (listener_) listener_->close();
  const auto torrents = torrents_;
  for (const auto& [key, torrent] : torrents) torrent->stop();
  co_await env_.tasks.stop();
  torrents_.clear();
}

}  // namespace convoy::swarm
