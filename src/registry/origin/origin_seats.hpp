#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/core/metadata_service.hpp"
#include "registry/origin/origin_seeder.hpp"

namespace convoy::registry {

/// The origin seeders of a registry by cluster. One thread but for note_gone().
class OriginSeats {
 public:
  /// `root` is the data directory, `egress` is shared with the HTTP answers; both outlive it, as
  /// what `needs` refers to does.
  OriginSeats(OriginSeeder::Needs needs, int root, std::shared_ptr<net::RateLimiter> egress);

  /// For a cluster with a tracker. Errors: "option_invalid", those of OriginIdentity and stores.
  Status add(const ClusterOptions&, const ClusterTrust&);
  void start();
  net::Task<void> stop();

  void load(const std::string& cluster, const bt::BlobMeta&);
  /// Where peers of that cluster connect; nothing before its seeder runs.
  std::optional<net::Endpoint> endpoint(const std::string& cluster) const;

  /// The blob is not there any more. From any thread; drop_gone() must follow.
  void note_gone(const oci::Digest&);
  /// Seeders hold blobs open, and would go on with what is gone.
  void drop_gone();

 private:
  OriginSeeder::Needs needs_;
  int root_;
  std::shared_ptr<net::RateLimiter> egress_;
  std::map<std::string, std::unique_ptr<OriginSeeder>> seeders_;
  std::mutex mutex_;
  std::vector<oci::Digest> gone_;  // since drop_gone()
};

}  // namespace convoy::registry
