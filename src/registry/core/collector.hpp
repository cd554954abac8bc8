#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "registry/core/digest_gate.hpp"
#include "registry/core/projects.hpp"
#include "registry/core/retention.hpp"
#include "registry/events/event.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/meta/registry_meta.hpp"
#include "storage/meta/registry_upkeep.hpp"

namespace convoy::registry {

/// A tag that retention removes, or keeps, and why.
struct ExplainedTag {
  std::string repository;
  TagDecision decision;
};

/// What a collection did, or of a dry run would do now. (What one step sets free is found by a
/// later run, when its lease is over, so a dry run does not count it.)
struct CollectReport {
  std::string phase = "retention";
  bool dry_run = false;
  bool done = false;
  std::uint64_t examined = 0;
  std::uint64_t tags = 0;
  std::uint64_t manifests = 0;
  std::uint64_t links = 0;  ///< of blobs to repositories
  std::uint64_t link_bytes = 0;
  std::uint64_t blobs = 0;  ///< removed from the store, with orphans
  std::uint64_t blob_bytes = 0;
  std::uint64_t orphans = 0;  ///< stored without ever having been linked
  std::uint64_t repositories = 0;
  UnixTime started{};
  /// Removed tags; of a dry run all that a rule speaks of. At most kMaxExplained.
  std::vector<ExplainedTag> explained;
  static constexpr std::size_t kMaxExplained = 10'000;
};

/// One online collection: retention, manifests, links, blobs, orphans, in short steps between which
/// pushes go on. Blobs go in three acts: the links go durably, which condemns the blob; under the
/// gate of its digest, when there is still no link, the bytes are unlinked; then the note of the
/// condemnation goes. Whatever a crash cuts off, the next run finds. Blocks: run it on workers, one
/// step at a time.
class Collector {
 public:
  Collector(storage::BlobStore&, storage::RegistryMeta&, DigestGate&, const ProjectBook&,
            const Clock&, CollectRules, bool dry_run);

  /// Told of each blob whose bytes go, before they do.
  std::function<void(const oci::Digest&)> on_removed;
  /// Told of each tag and manifest that went. May be null.
  std::function<void(Event)> on_event;

  /// One step; false when all is done. After an error the step may be tried again.
  Result<bool> step();
  const CollectReport& report() const { return report_; }

 private:
  enum class Phase { retention, manifests, links, condemned, orphans, repositories, done };

  /// A tag that retention decided to remove.
  struct Doomed {
    oci::RepoName repository;
    storage::TagRow tag;
    TagDecision decision;
  };

  Status retention_step();
  Result<std::vector<storage::TagRow>> tags_of(const oci::RepoName&);
  Status decide_on(const oci::RepoName&);
  Status retire_some();
  Result<bool> retire(const Doomed&);
  void explain(const oci::RepoName&, TagDecision);
  void note_retired(const oci::RepoName&, const storage::TagRow&) const;
  Status manifests_step();
  Status links_step();
  Status condemned_step();
  Status orphans_step();
  Status orphan_step(const oci::Digest&);
  Status repositories_step();
  Result<bool> remove_blob(const oci::Digest&, bool orphan);
  storage::WalkRules walk_rules(Duration age) const;
  void enter(Phase);

  storage::BlobStore& blobs_;
  storage::RegistryMeta& meta_;
  storage::RegistryUpkeep& upkeep_;
  DigestGate& gate_;
  const ProjectBook& projects_;
  const Clock& clock_;
  CollectRules rules_;
  CollectReport report_;
  Phase phase_ = Phase::retention;
  storage::WalkPosition at_;
  std::string after_;
  std::deque<Doomed> doomed_;  // of one repository
  unsigned bucket_ = 0;
};

}  // namespace convoy::registry
