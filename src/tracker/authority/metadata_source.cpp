#include "tracker/authority/metadata_source.hpp"

#include "crypto/hash.hpp"

namespace convoy::tracker {
namespace {

constexpr std::size_t kMaxKnown = 200'000;

std::string known_key(const std::string& registry, const oci::Digest& digest) {
  return registry + '\n' + digest.str();
}

}  // namespace

MetadataSource::MetadataSource(net::Executor executor, net::TaskGroup& group, std::size_t max_calls,
                               std::chrono::seconds registry_timeout, std::string cluster_root_pem,
                               const Clock& clock)
    : flights_(std::move(executor), group,
               {.life = kMetadataLife, .max_entries = 100'000, .max_tasks = max_calls}, clock),
      timeout_(registry_timeout),
      root_pem_(std::move(cluster_root_pem)),
      clock_(clock) {}

net::Task<Result<KnownBlobPtr>> MetadataSource::get(const Registry& registry, oci::RepoName repo,
                                                    oci::Digest digest, std::string request_id) {
  const Deadline deadline = Deadline::in(clock_, timeout_);
  std::string key = registry.host + '\n' + repo.str() + '\n' + digest.str();
  SingleFlight<KnownBlobPtr>::Fetch fetcher = [this, &registry, repo, digest, request_id,
                                               deadline] {
    return fetch(registry, repo, digest, request_id, deadline);
  };
  co_return co_await flights_.get(std::move(key), std::move(fetcher), deadline);
}

net::Task<Result<KnownBlobPtr>> MetadataSource::fetch(const Registry& registry, oci::RepoName repo,
                                                      oci::Digest digest, std::string request_id,
                                                      Deadline deadline) {
  auto compact = co_await registry.metadata->metadata(repo, digest, request_id, deadline);
  if (!compact) co_return std::move(compact).error();
  auto statement = registry.statements.verify(*compact, digest);
  if (!statement) {
    co_return unavailable("registry_metadata_invalid", statement.error().text());
  }
  auto blob = std::make_shared<KnownBlob>(
      KnownBlob{std::move(*compact), statement->meta,
                crypto::sha256(bt::encode_info(statement->meta, root_pem_)), statement->expires});
  remember(registry.host, blob);
  co_return KnownBlobPtr(std::move(blob));
}

void MetadataSource::remember(const std::string& registry, KnownBlobPtr blob) {
  if (known_.size() >= kMaxKnown) expire(clock_.steady(), clock_.wall());
  if (known_.size() >= kMaxKnown) known_.erase(known_.begin());
  const std::string key = known_key(registry, blob->meta.digest);
  known_.insert_or_assign(key, std::move(blob));
}

KnownBlobPtr MetadataSource::known(const std::string& registry, const oci::Digest& digest) const {
  const auto it = known_.find(known_key(registry, digest));
  if (it == known_.end() || it->second->expires <= clock_.wall()) return nullptr;
  return it->second;
}

void MetadataSource::expire(SteadyTime now, UnixTime wall) {
  flights_.expire(now);
  std::erase_if(known_, [&](const auto& entry) { return entry.second->expires <= wall; });
}

}  // namespace convoy::tracker
