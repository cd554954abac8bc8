#include "registry/core/collector.hpp"

#include <algorithm>

namespace convoy::registry {
namespace {

constexpr std::size_t kRetentionPage = 1000;
constexpr std::size_t kMaxTagsDecided = 1'000'000;  // of one repository, sorted in memory
constexpr std::size_t kRetiredAtOnce = 64;          // each is a transaction
constexpr std::size_t kExamined = 256;
constexpr std::size_t kRemovedAtOnce = 16;
constexpr unsigned kBucketsAtOnce = 32;

const char* name_of(int phase) {
  constexpr const char* kNames[] = {"retention", "manifests",    "links", "blobs",
                                    "orphans",   "repositories", "done"};
  return kNames[phase];
}

Event removal(EventKind kind, std::string repository, std::string digest, std::string media_type) {
  Event event;
  event.kind = kind;
  event.repository = std::move(repository);
  event.digest = std::move(digest);
  event.media_type = std::move(media_type);
  event.actor = kind == EventKind::remove_tag ? "retention" : "gc";
  return event;
}

}  // namespace

Collector::Collector(storage::BlobStore& blobs, storage::RegistryMeta& meta, DigestGate& gate,
                     const ProjectBook& projects, const Clock& clock, CollectRules rules,
                     bool dry_run)
    : blobs_(blobs),
      meta_(meta),
      upkeep_(meta.upkeep()),
      gate_(gate),
      projects_(projects),
      clock_(clock),
      rules_(rules) {
  report_.dry_run = dry_run;
  report_.started = clock.wall();
}

void Collector::enter(Phase phase) {
  phase_ = phase;
  report_.phase = name_of(static_cast<int>(phase));
  report_.done = phase == Phase::done;
  at_ = {};
  after_.clear();
}

Result<bool> Collector::step() {
  Status done;
  switch (phase_) {
    case Phase::retention:
      done = retention_step();
      break;
    case Phase::manifests:
      done = manifests_step();
      break;
    case Phase::links:
      done = links_step();
      break;
    case Phase::condemned:
      done = condemned_step();
      break;
    case Phase::orphans:
      done = orphans_step();
      break;
    case Phase::repositories:
      done = repositories_step();
      break;
    case Phase::done:
      break;
  }
  if (!done) return std::move(done).error();
  return phase_ != Phase::done;
}

storage::WalkRules Collector::walk_rules(Duration age) const {
  const UnixTime now = clock_.wall();
  storage::WalkRules out;
  out.unseen_since = now - std::chrono::duration_cast<std::chrono::seconds>(age);
  out.freed_seen = now;
  out.freed_manifests_seen = now;
  out.examine = kExamined;
  out.dry_run = report_.dry_run;
  return out;
}

/// Decides on one repository, or removes some of what it decided on before.
Status Collector::retention_step() {
  if (!doomed_.empty()) return retire_some();
  const auto& projects = projects_.all();
  const bool any = std::any_of(projects.begin(), projects.end(),
                               [](const Project& p) { return !p.retention.empty(); });
  if (!any) {
    enter(Phase::manifests);
    return {};
  }
  auto names = meta_.repositories(after_, 1);
  if (!names) return std::move(names).error();
  if (names->empty()) {
    enter(Phase::manifests);
    return {};
  }
  auto repository = oci::RepoName::parse(names->front());
  if (repository) {
    if (auto done = decide_on(*repository); !done) return done;
  }
  after_ = names->front();
  return {};
}

Result<std::vector<storage::TagRow>> Collector::tags_of(const oci::RepoName& repository) {
  std::vector<storage::TagRow> tags;
  for (std::string last; tags.size() < kMaxTagsDecided;) {
    auto page = upkeep_.tags(repository, last, kRetentionPage);
    if (!page) {
      // It was removed between the two looks.
      if (page.error().kind() == ErrorClass::not_found) return std::vector<storage::TagRow>();
      return std::move(page).error();
    }
    if (page->empty()) break;
    last = page->back().name;
    std::move(page->begin(), page->end(), std::back_inserter(tags));
  }
  return tags;
}

Status Collector::decide_on(const oci::RepoName& repository) {
  const auto found = projects_.find(repository.str());
  if (found.project == nullptr || found.project->retention.empty()) return {};
  auto tags = tags_of(repository);
  if (!tags) return std::move(tags).error();
  const RetentionView view{
      repository.str(), clock_.wall(),
      [&](const std::string& tag) { return projects_.immutable(repository.str(), tag); },
      [&](const oci::Digest& digest) { return meta_.has_manifest(repository, digest); }};
  auto decisions = decide_retention(found.project->retention, view, *tags);
  if (!decisions) return std::move(decisions).error();
  report_.examined += tags->size();
  for (std::size_t i = 0; i < tags->size(); ++i) {
    TagDecision& decision = (*decisions)[i];
    if (report_.dry_run) {
      if (!decision.keep) ++report_.tags;
      explain(repository, std::move(decision));
    } else if (!decision.keep) {
      doomed_.push_back({repository, std::move((*tags)[i]), std::move(decision)});
    }
  }
  return {};
}

Status Collector::retire_some() {
  for (std::size_t n = 0; n < kRetiredAtOnce && !doomed_.empty(); ++n) {
    Doomed& next = doomed_.front();
    auto removed = retire(next);
    if (!removed) return std::move(removed).error();
    if (*removed) {
      ++report_.tags;
      note_retired(next.repository, next.tag);
      explain(next.repository, std::move(next.decision));
    }
    doomed_.pop_front();
  }
  return {};
}

/// False when something has happened since the decision for which the tag may stay.
Result<bool> Collector::retire(const Doomed& doomed) {
  if (const auto subject = attached_to(doomed.tag.name)) {
    auto there = meta_.has_manifest(doomed.repository, *subject);
    if (!there) return there;
    if (*there) return false;
  }
  return upkeep_.remove_tag(doomed.repository, doomed.tag);
}

void Collector::explain(const oci::RepoName& repository, TagDecision decision) {
  if (report_.explained.size() >= CollectReport::kMaxExplained) return;
  report_.explained.push_back({repository.str(), std::move(decision)});
}

void Collector::note_retired(const oci::RepoName& repository, const storage::TagRow& tag) const {
  if (!on_event) return;
  Event event = removal(EventKind::remove_tag, repository.str(), tag.digest.str(), tag.media_type);
  event.tags.push_back(tag.name);
  on_event(std::move(event));
}

Status Collector::manifests_step() {
  if (rules_.untagged_age <= Duration::zero()) {
    enter(Phase::links);
    return {};
  }
  auto rules = walk_rules(rules_.untagged_age);
  // Children were of no more use than the index; but a client may have been told of them in the
  // last moments, and has the time of a lease.
  const UnixTime lease_from =
      rules.unseen_since + std::chrono::duration_cast<std::chrono::seconds>(rules_.lease);
  rules.freed_manifests_seen = std::min(rules.freed_seen, lease_from);
  auto done = upkeep_.walk_manifests(at_, rules);
  if (!done) return std::move(done).error();
  report_.examined += done->examined;
  report_.manifests += done->removed;
  for (auto& gone : done->manifests) {
    if (!on_event) break;
    on_event(removal(EventKind::remove_manifest, std::move(gone.repository), std::move(gone.digest),
                     std::move(gone.media_type)));
  }
  if (at_.done) enter(Phase::links);
  return {};
}

Status Collector::links_step() {
  auto done = upkeep_.walk_links(at_, walk_rules(rules_.lease));
  if (!done) return std::move(done).error();
  report_.examined += done->examined;
  report_.links += done->removed;
  report_.link_bytes += done->bytes;
  if (at_.done) enter(Phase::condemned);
  return {};
}

Result<bool> Collector::remove_blob(const oci::Digest& digest, bool orphan) {
  std::unique_ptr<storage::BlobReader> last_hold;  // frees the disk space after the gate is open
  const auto gate = gate_.close(digest);
  auto linked = upkeep_.linked(digest);
  if (!linked) return std::move(linked).error();
  if (*linked) return false;
  if (auto reader = blobs_.open(digest)) last_hold = std::move(*reader);
  if (last_hold) {
    ++report_.blobs;
    report_.blob_bytes += last_hold->size();
    if (orphan) ++report_.orphans;
  }
  if (report_.dry_run) return true;
  if (on_removed) on_removed(digest);
  auto removed = blobs_.remove(digest);
  if (!removed && removed.error().kind() != ErrorClass::not_found) {
    return std::move(removed).error();
  }
  if (auto done = blobs_.drop_quarantined(digest); !done) return std::move(done).error();
  if (auto done = upkeep_.forget_condemned(digest); !done) return std::move(done).error();
  return true;
}

Status Collector::condemned_step() {
  auto digests = upkeep_.condemned(after_, kRemovedAtOnce);
  if (!digests) return std::move(digests).error();
  for (const auto& digest : *digests) {
    after_ = digest.str();
    auto done = remove_blob(digest, false);
    if (!done) return std::move(done).error();
  }
  if (digests->size() < kRemovedAtOnce) {
    enter(Phase::orphans);
    bucket_ = 0;
  }
  return {};
}

/// Some buckets of the store: bytes that a crash left between their commit and their link.
Status Collector::orphans_step() {
  std::size_t looked_at = 0;
  const unsigned stop = std::min<unsigned>(bucket_ + kBucketsAtOnce, storage::BlobStore::kBuckets);
  for (; bucket_ < stop && looked_at < kExamined; ++bucket_) {
    auto stored = blobs_.list(bucket_);
    if (!stored) return std::move(stored).error();
    looked_at += stored->size();
    for (const auto& blob : *stored) {
      if (auto done = orphan_step(blob.digest); !done) return done;
    }
  }
  report_.examined += looked_at;
  if (bucket_ >= storage::BlobStore::kBuckets) enter(Phase::repositories);
  return {};
}

Status Collector::orphan_step(const oci::Digest& digest) {
  auto linked = upkeep_.linked(digest);
  if (!linked) return std::move(linked).error();
  if (*linked) return {};
  // Of a dry run the condemned ones were counted a phase ago.
  if (report_.dry_run) {
    auto condemned = upkeep_.is_condemned(digest);
    if (!condemned) return std::move(condemned).error();
    if (*condemned) return {};
  }
  auto done = remove_blob(digest, true);
  if (!done) return std::move(done).error();
  return {};
}

Status Collector::repositories_step() {
  auto done = upkeep_.walk_repositories(at_, walk_rules({}));
  if (!done) return std::move(done).error();
  report_.repositories += done->removed;
  if (at_.done) enter(Phase::done);
  return {};
}

}  // namespace convoy::registry
