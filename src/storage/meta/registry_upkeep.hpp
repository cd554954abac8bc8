#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "wire/oci/digest.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::storage {

/// Where a walk over a table goes on; the default is its beginning.
struct WalkPosition {
  std::int64_t repository = 0;
  std::string digest;
  bool done = false;
};

struct RemovedManifest {
  std::string repository;
  std::string digest;
  std::string media_type;
};

/// One step of a walk.
struct WalkStep {
  std::size_t examined = 0;
  std::size_t removed = 0;                 ///< or, of a dry run, that would be
  std::uint64_t bytes = 0;                 ///< of these, as their repositories count them
  std::vector<RemovedManifest> manifests;  ///< that were removed, of walk_manifests
};

/// What is old enough to go, and what stays with the things that a removal sets free.
struct WalkRules {
  UnixTime unseen_since{};  ///< only what was last of use at this time or before
  /// What was named by something removed counts as of use until then: a client may have been told
  /// of it a moment ago.
  UnixTime freed_seen{};
  UnixTime freed_manifests_seen{};  ///< the same of manifests: children and referrers
  std::size_t examine = 256;        ///< rows of one step
  bool dry_run = false;
};

struct RepositoryUse {
  std::string name;
  std::uint64_t tags = 0;
  std::uint64_t manifests = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;  ///< of its blobs and manifests; what others hold too counts in full
};

struct TagRow {
  std::string name;
  oci::Digest digest;
  std::string media_type;
  UnixTime pushed{};
  UnixTime pulled{};  ///< 0: never, as far as is known
};

struct StoreUse {
  std::uint64_t repositories = 0;
  std::uint64_t manifests = 0;
  std::uint64_t blobs = 0;         ///< different ones
  std::uint64_t blob_bytes = 0;    ///< of these
  std::uint64_t linked_bytes = 0;  ///< the sum over repositories
  std::uint64_t condemned = 0;     ///< blobs that no repository holds any more, not yet removed
  std::uint64_t quarantined = 0;
};

struct QuarantinedBlob {
  oci::Digest digest;
  UnixTime found{};
  std::string reason;
};

/// The registry's upkeep by index queries. A walk goes over a table in steps: rows are examined on
/// a reader beside the writer, then those that may go are checked again and removed in one short
/// transaction, so that a push between the two is never undone. Calls block; safe from any thread.
class RegistryUpkeep {
 public:
  virtual ~RegistryUpkeep() = default;

  /// Removes manifests that no tag, no index and no subject in the same repository holds.
  virtual Result<WalkStep> walk_manifests(WalkPosition&, const WalkRules&) = 0;
  /// Unlinks blobs that no manifest of the same repository names; a blob that lost its last link is
  /// condemned.
  virtual Result<WalkStep> walk_links(WalkPosition&, const WalkRules&) = 0;
  /// Removes repositories that hold nothing.
  virtual Result<WalkStep> walk_repositories(WalkPosition&, const WalkRules&) = 0;

  /// Blobs without a link, in order, after `after` ("" from the start).
  virtual Result<std::vector<oci::Digest>> condemned(const std::string& after,
                                                     std::size_t limit) = 0;
  virtual Result<bool> is_condemned(const oci::Digest&) = 0;
  /// Whether any repository holds it, quarantined or not.
  virtual Result<bool> linked(const oci::Digest&) = 0;
  /// Its bytes are gone. Forgets what else was known of the blob.
  virtual Status forget_condemned(const oci::Digest&) = 0;

  /// From now on the blob counts as missing everywhere. Idempotent.
  virtual Status quarantine(const oci::Digest&, const std::string& reason) = 0;
  virtual Result<bool> is_quarantined(const oci::Digest&) = 0;
  virtual Result<std::vector<QuarantinedBlob>> quarantined(std::size_t limit) = 0;

  /// After `last` (exclusive), in order, with their use.
  virtual Result<std::vector<RepositoryUse>> repositories(const std::string& last,
                                                          std::size_t limit) = 0;
  /// Error "name_unknown". In the order of the tag list.
  virtual Result<std::vector<TagRow>> tags(const oci::RepoName&, const std::string& last,
                                           std::size_t limit) = 0;
  /// Removes the tag if it still is as this row says: neither moved nor pushed nor pulled since.
  /// False when it is not, or is guarded.
  virtual Result<bool> remove_tag(const oci::RepoName&, const TagRow&) = 0;
  virtual Result<StoreUse> use() = 0;
  /// Bytes of the repository `prefix` and of all below it ("team" and "team/app"), but for those at
  /// and below the names in `without`.
  virtual Result<std::uint64_t> bytes_below(const std::string& prefix,
                                            const std::vector<std::string>& without = {}) = 0;

  /// Small texts of the upkeep itself, such as how far a scrub has come; "" when there is none.
  virtual Result<std::string> note(const std::string& name) = 0;
  virtual Status put_note(const std::string& name, const std::string& value) = 0;
};

}  // namespace convoy::storage
