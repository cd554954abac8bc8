#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "net/metrics.hpp"
#include "registry/core/collector.hpp"
#include "registry/core/scrubber.hpp"
#include "security/audit/audit.hpp"
#include "wire/http/message.hpp"

namespace convoy::registry {

struct AdminAnswer {
  int status = 200;
  std::string body;  ///< JSON
};

/// Collections and scrubs, and what may be asked about the store, for the administration API and
/// for commands on a stopped registry alike. At most one collection and one scrub run at a time;
/// whoever owns the desk drives them by collect_step() and scrub_step(). Blocks, but reports do not
/// wait for steps; safe from any thread.
class AdminDesk {
 public:
  struct Needs {
    storage::BlobStore& blobs;
    storage::RegistryMeta& meta;
    DigestGate& gate;
    const ProjectBook& projects;
    const Clock& clock;
    security::AuditLog& audit;
    net::Metrics& metrics;
    CollectRules rules;
    /// Told, on workers, of blobs that were collected or quarantined. May be null.
    std::function<void(const oci::Digest&)> on_gone;
    /// Told, on workers, of tags and manifests that were collected. May be null.
    std::function<void(Event)> on_event = {};
  };
  explicit AdminDesk(Needs needs) : needs_(std::move(needs)) {}

  /// `target` is below "/convoy/v1/admin/": "gc", "scrub", "repositories?last=a&n=10", "tags?…",
  /// "usage". Whoever asks was authenticated.
  AdminAnswer handle(std::string_view method, std::string_view target, std::string_view body);

  /// Begin one unless one runs. False when one does.
  bool begin_collection(bool dry_run);
  bool begin_scrub(bool dry_run);
  /// A step of what runs; false when nothing runs (any more).
  bool collect_step();
  bool scrub_step(std::uint64_t budget);
  /// When the last pass over all blobs ended; nothing when that cannot be read.
  std::optional<UnixTime> last_scrub();

 private:
  /// What is told of a job: how it stood at the end of its last step.
  template <class Report>
  struct Told {
    Report report;
    std::string state;
    std::string error;
  };

  template <class Work, class Report>
  struct Job {
    std::mutex mutex;  // of all but what is told; a step has it from its begin to its end
    std::unique_ptr<Work> work;
    std::string state = "none";
    std::string error;
    unsigned failures = 0;  // in a row

    void begin(std::unique_ptr<Work>);
    /// Takes in what a step gave. False when it was the last.
    bool stepped(const Result<bool>& more);
    void tell();
    // Of what was told last, so these wait for no step:
    bool told_running() const;
    AdminAnswer answer() const;

   private:
    std::shared_ptr<const Told<Report>> told() const;  // null before the first job

    mutable std::mutex told_mutex_;
    std::shared_ptr<const Told<Report>> told_;
  };

  AdminAnswer job_request(std::string_view method, std::string_view what, std::string_view body);
  AdminAnswer report(std::string_view what) const;
  AdminAnswer repositories(const http::Target&);
  AdminAnswer tags(const http::Target&);
  AdminAnswer usage();
  void finished(const CollectReport&, const std::string& error);
  void finished(const ScrubReport&, const std::string& error);
  void bad_blob(const ScrubReport::Bad&, bool dry_run);
  void record(std::string action, security::AuditOutcome, std::string digest, std::string reason,
              std::vector<std::pair<std::string, std::string>> extra);

  Needs needs_;
  Job<Collector, CollectReport> collection_;
  Job<Scrubber, ScrubReport> scrub_;
};

}  // namespace convoy::registry
