#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "clients/tracker/tracker_client.hpp"
#include "net/task_group.hpp"
#include "registry/origin/known_blobs.hpp"
#include "registry/origin/origin_identity.hpp"
#include "registry/service.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/meta/registry_meta.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::registry {

/// Of one seeder.
struct OriginLimits {
  std::size_t known = 100'000;  ///< blobs that peers may ask for; some 400 bytes each
  std::size_t loaded = 512;     ///< of them; each holds its Merkle leaves
  Duration save_retry = std::chrono::minutes(1);  ///< of writing a certificate to disk
};

/// The registry's presence in the swarms of one cluster: enrols with the tracker, keeps its
/// certificate fresh (one that cannot be written to disk is used all the same), tells the tracker
/// where it listens, and seeds every blob that the cluster's tracker has asked a statement for
/// (also after a restart). Past its limit a new blob displaces the one used longest ago, until that
/// is asked for again. One thread.
class OriginSeeder {
 public:
  struct Needs {
    net::Executor executor;
    net::WorkerPool& pool;
    storage::BlobStore& blobs;
    storage::RegistryMeta& meta;
    const Clock& clock;
    Random& random;
    security::AuditLog& audit;
    net::Metrics& metrics;
    Logger log;
    bool kernel_tls = true;
  };

  /// `tls` is the client side towards the tracker: it gets the origin's certificate (null in tests
  /// without TLS). `upload` is shared with the registry's HTTP answers.
  OriginSeeder(Needs, ClusterOptions, OriginIdentity, std::unique_ptr<clients::TrackerClient>,
               std::shared_ptr<net::TlsClientContext> tls, std::shared_ptr<net::RateLimiter> upload,
               std::vector<crypto::Certificate> roots, OriginLimits = {});
  ~OriginSeeder();

  void start();
  net::Task<void> stop();

  /// Makes the blob available to the cluster's swarm.
  void load(const bt::BlobMeta&);
  /// Stops seeding it and forgets it, at the next start too: it was removed or found bad.
  void drop(const oci::Digest&);
  /// Where peers connect; nothing before the enrolment succeeded.
  std::optional<net::Endpoint> endpoint() const;
  std::size_t loaded() const { return loaded_.size(); }

 private:
  struct Loaded {
    std::shared_ptr<swarm::Torrent> torrent;
    std::uint64_t turn = 0;
  };

  net::Task<void> run();
  net::Task<bool> enrol();
  net::Task<Status> enrol_once();
  bool start_engine();
  net::Task<void> keep_renewed();
  net::Task<Status> renew_once();
  net::Task<void> keep_registered();
  Status accept(clients::Enrolment);
  Status use_identity();
  net::Task<void> save_identity();

  void recall(const std::vector<storage::RememberedTorrent>&);
  std::string remember(const bt::BlobMeta&);
  void give_up(const std::string& short_hex);
  net::Task<void> forget_given_up();
  Status forget(const std::vector<std::string>&);
  net::Task<void> add(std::string short_hex);
  bool add_now(const std::string& short_hex);
  bool add_torrent(const std::string& short_hex, std::vector<Hash256> leaves);
  void make_room();
  void unload(const std::string& short_hex);
  net::Task<Result<swarm::Grant>> grant(oci::Digest, std::string info_hash);

  Needs needs_;
  ClusterOptions cluster_;
  OriginIdentity identity_;
  std::unique_ptr<clients::TrackerClient> tracker_;
  std::shared_ptr<net::TlsClientContext> tls_;
  std::shared_ptr<net::RateLimiter> upload_;
  std::vector<crypto::Certificate> roots_;
  OriginLimits limits_;
  net::TaskGroup tasks_;
  bool in_use_ = false;                        ///< the identity's certificate
  std::optional<clients::Enrolment> unsaved_;  ///< the latest
  bool saving_ = false;
  std::unique_ptr<swarm::Engine> engine_;
  std::map<oci::Digest, bt::BlobMeta> waiting_;  ///< asked for before the engine ran
  KnownBlobs known_;
  std::unordered_map<std::string, Loaded> loaded_;  ///< by short info-hash
  std::vector<std::string> given_up_;               ///< still in the database
  bool forgetting_ = false;
  std::uint64_t turn_ = 0;
};

}  // namespace convoy::registry
