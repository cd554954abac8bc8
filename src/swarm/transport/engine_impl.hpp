#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/tcp.hpp"
#include "swarm/transport/engine.hpp"
#include "swarm/transport/env.hpp"
#include "swarm/transport/torrent.hpp"

namespace convoy::swarm {

class EngineImpl final : public Engine, private Dialer {
 public:
  EngineImpl(net::Executor, net::WorkerPool&, EngineOptions, const Clock&, Random&,
             security::AuditLog&, net::Metrics&, Logger);
  ~EngineImpl() override;
  /// TLS contexts and the listener.
  Status open();

  const net::Endpoint& local() const override { return listener_->local(); }
  Result<std::shared_ptr<Torrent>> add(TorrentSpec) override;
  std::shared_ptr<Torrent> find(const bt::InfoHash&) override;
  void remove(const bt::InfoHash&) override;
  void on_unknown(std::function<bool(std::string_view)> f) override { on_unknown_ = std::move(f); }
  Status replace_identity(net::TlsIdentity) override;
  void rates_changed(const UploadShares&) override;
  net::Task<void> stop() override;

  /// Connections whose gate is not open yet.
  static constexpr std::size_t kMaxArriving = 512;
  static constexpr std::size_t kMaxArrivingPerIp = 128;

 private:
  class Arriving;
  /// Many connections that each wait for what to send share a node's link: BBR takes them for slow
  /// ones (ADR 13).
  static constexpr const char* kCongestionControl = "cubic";

  std::shared_ptr<TorrentImpl> lookup(std::string_view short_hex) const;
  bool serves(std::string_view sni);

  // engine_peers.cpp
  net::Task<void> accept_loop();
  net::Task<void> serve(net::StreamPtr plain);
  net::Task<Result<Admitted>> dial(bt::PeerEndpoint, GateTorrent) override;
  void refused(const Error&, const std::string& ip, const std::string& node, const bt::BlobMeta&,
               const std::string& request_id) override;
  void note_refused(const Error&, const std::string& ip, const std::string& node,
                    const std::string& digest, const std::string& request_id);

  EngineOptions options_;
  Env env_;
  std::shared_ptr<net::TlsServerContext> server_;
  std::shared_ptr<net::TlsClientContext> client_;
  std::unique_ptr<net::Listener> listener_;
  std::map<std::string, std::shared_ptr<TorrentImpl>, std::less<>> torrents_;  ///< by short hex
  std::function<bool(std::string_view)> on_unknown_;
  std::map<std::string, std::size_t> arriving_by_ip_;
  std::size_t arriving_ = 0;
  bool stopping_ = false;
};

}  // namespace convoy::swarm
