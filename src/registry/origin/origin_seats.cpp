#include "registry/origin/origin_seats.hpp"

#include "clients/tracker/http_tracker_client.hpp"
#include "net/http_client.hpp"
#include "security/identity/spiffe.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::registry {
namespace {

OriginIdentity::Directory state_directory(int root, const ClusterOptions& cluster) {
  return [root, dir = cluster.state_dir, name = cluster.name]() -> Result<storage::Fd> {
    if (!dir.empty()) return storage::open_root(dir);
    auto all = storage::open_subdir(root, "origin");
    if (!all) return all;
    return storage::open_subdir(all->get(), name);
  };
}

}  // namespace

OriginSeats::OriginSeats(OriginSeeder::Needs needs, int root,
                         std::shared_ptr<net::RateLimiter> egress)
    : needs_(std::move(needs)), root_(root), egress_(std::move(egress)) {}

Status OriginSeats::add(const ClusterOptions& cluster, const ClusterTrust& trust) {
  // The name becomes a directory: only what may stand in a SPIFFE id.
  auto id = security::SpiffeId::make(cluster.trust_domain, cluster.name, security::NodeKind::origin,
                                     cluster.node_name);
  if (!id) return invalid("option_invalid", "cluster " + cluster.name + ": names");
  auto identity = OriginIdentity::open(state_directory(root_, cluster),
                                       {cluster.name, cluster.trust_domain, trust.roots});
  if (!identity) return std::move(identity).error();
  net::TlsClientOptions tls_options;
  tls_options.roots_pem = cluster.tracker_roots_pem;
  auto tls = net::TlsClientContext::make(std::move(tls_options));
  if (!tls) return std::move(tls).error();
  net::HttpClientOptions http;
  http.tls = *tls;
  http.bind_ip = cluster.bind_ip;
  auto client = std::make_shared<net::HttpClient>(needs_.executor, std::move(http));
  auto tracker = clients::make_http_tracker_client(std::move(client), *cluster.tracker);
  auto seeder = std::make_unique<OriginSeeder>(needs_, cluster, std::move(*identity),
                                               std::move(tracker), *tls, egress_, trust.roots);
  seeders_.emplace(cluster.name, std::move(seeder));
  return {};
}

void OriginSeats::start() {
  for (auto& [name, seeder] : seeders_) seeder->start();
}

net::Task<void> OriginSeats::stop() {
  for (auto& [name, seeder] : seeders_) co_await seeder->stop();
}

void OriginSeats::load(const std::string& cluster, const bt::BlobMeta& meta) {
  const auto it = seeders_.find(cluster);
  if (it != seeders_.end()) it->second->load(meta);
}

std::optional<net::Endpoint> OriginSeats::endpoint(const std::string& cluster) const {
  const auto it = seeders_.find(cluster);
  if (it == seeders_.end()) return std::nullopt;
  return it->second->endpoint();
}

void OriginSeats::note_gone(const oci::Digest& digest) {
  const std::lock_guard lock(mutex_);
  gone_.push_back(digest);
}

void OriginSeats::drop_gone() {
  std::vector<oci::Digest> gone;
  {
    const std::lock_guard lock(mutex_);
    gone.swap(gone_);
  }
  for (const auto& digest : gone) {
    for (auto& [name, seeder] : seeders_) seeder->drop(digest);
  }
}

}  // namespace convoy::registry
