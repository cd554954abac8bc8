#include "registry/core/admin_desk.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>

#include "base/log.hpp"
#include "registry/core/upkeep_json.hpp"
#include "wire/json.hpp"

namespace convoy::registry {
namespace {

constexpr const char* kScrubFinished = "scrub.finished";
constexpr const char* kRunning = "running";
constexpr std::size_t kPage = 100;
constexpr std::size_t kMaxPage = 1000;
constexpr std::size_t kMaxQuarantined = 1000;
constexpr unsigned kMaxFailures = 5;  // of one step, then the job is given up

AdminAnswer refusal(int status, std::string_view code, std::string_view detail = {}) {
  std::string body = R"({"error":)";
  append_json_string(body, code);
  if (!detail.empty()) {
    body += R"(,"detail":)";
    append_json_string(body, detail);
  }
  return {status, body + '}'};
}

AdminAnswer of_error(const Error& error) {
  if (error.kind() == ErrorClass::not_found) return refusal(404, error.code());
  if (error.kind() == ErrorClass::invalid) return refusal(400, error.code(), error.detail());
  return refusal(500, error.code(), error.detail());
}

std::optional<std::size_t> page_size(const http::Target& target) {
  const auto text = target.query_value("n");
  if (!text) return kPage;
  std::size_t n = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), n);
  if (fault != std::errc() || end != text->data() + text->size() || n == 0) return std::nullopt;
  return std::min(n, kMaxPage);
}

}  // namespace

template <class Work, class Report>
void AdminDesk::Job<Work, Report>::begin(std::unique_ptr<Work> next) {
  work = std::move(next);
  state = kRunning;
  error.clear();
  failures = 0;
  tell();
}

template <class Work, class Report>
bool AdminDesk::Job<Work, Report>::stepped(const Result<bool>& more) {
  if (more) {
    failures = 0;
    if (*more) return true;
    state = "done";
    return false;
  }
  // A busy database may be free the next time.
  if (++failures < kMaxFailures) return true;
  state = "failed";
  error = more.error().text();
  return false;
}

template <class Work, class Report>
void AdminDesk::Job<Work, Report>::tell() {
  auto now = std::make_shared<const Told<Report>>(Told<Report>{work->report(), state, error});
  const std::lock_guard lock(told_mutex_);
  told_.swap(now);
}

template <class Work, class Report>
auto AdminDesk::Job<Work, Report>::told() const -> std::shared_ptr<const Told<Report>> {
  const std::lock_guard lock(told_mutex_);
  return told_;
}

template <class Work, class Report>
bool AdminDesk::Job<Work, Report>::told_running() const {
  const auto last = told();
  return last && last->state == kRunning;
}

template <class Work, class Report>
AdminAnswer AdminDesk::Job<Work, Report>::answer() const {
  const auto last = told();
  if (!last) return {200, R"({"state":"none"})"};
  return {200, to_json(last->report, last->state, last->error)};
}

AdminAnswer AdminDesk::handle(std::string_view method, std::string_view text,
                              std::string_view body) {
  auto target = http::parse_target("/" + std::string(text));
  if (!target) return refusal(400, target.error().code());
  if (target->segments.size() != 1) return refusal(404, "route_unknown");
  const std::string_view what = target->segments.front();
  if (what == "gc" || what == "scrub") return job_request(method, what, body);
  if (method != "GET") return refusal(405, "method");
  if (what == "repositories") return repositories(*target);
  if (what == "tags") return tags(*target);
  if (what == "usage") return usage();
  return refusal(404, "route_unknown");
}

AdminAnswer AdminDesk::job_request(std::string_view method, std::string_view what,
                                   std::string_view body) {
  if (method == "GET") return report(what);
  if (method != "POST") return refusal(405, "method");
  bool dry_run = false;
  if (!body.empty()) {
    auto order = wire::parse_json_object(body, {.max_bytes = 4096, .max_depth = 4});
    if (!order) return refusal(400, "json_invalid");
    for (const auto& [key, value] : *order) {
      if (key != "dry_run" || !value.is_bool()) return refusal(400, "order_invalid", key);
    }
    dry_run = wire::json_bool(*order, "dry_run").value_or(false);
  }
  const bool begun = what == "gc" ? begin_collection(dry_run) : begin_scrub(dry_run);
  if (!begun) return refusal(409, "already_running");
  AdminAnswer out = report(what);
  out.status = 202;
  return out;
}

AdminAnswer AdminDesk::report(std::string_view what) const {
  return what == "gc" ? collection_.answer() : scrub_.answer();
}

AdminAnswer AdminDesk::repositories(const http::Target& target) {
  const auto n = page_size(target);
  if (!n) return refusal(400, "page_invalid");
  const std::string last(target.query_value("last").value_or(""));
  auto rows = needs_.meta.upkeep().repositories(last, *n);
  if (!rows) return of_error(rows.error());
  return {200, to_json(*rows)};
}

AdminAnswer AdminDesk::tags(const http::Target& target) {
  const auto n = page_size(target);
  if (!n) return refusal(400, "page_invalid");
  auto name = oci::RepoName::parse(target.query_value("repository").value_or(""));
  if (!name) return of_error(name.error());
  const std::string last(target.query_value("last").value_or(""));
  auto rows = needs_.meta.upkeep().tags(*name, last, *n);
  if (!rows) return of_error(rows.error());
  return {200, to_json(*rows)};
}

AdminAnswer AdminDesk::usage() {
  auto use = needs_.meta.upkeep().use();
  if (!use) return of_error(use.error());
  auto bad = needs_.meta.upkeep().quarantined(kMaxQuarantined);
  if (!bad) return of_error(bad.error());
  return {200, to_json(*use, *bad)};
}

bool AdminDesk::begin_collection(bool dry_run) {
  if (collection_.told_running()) return false;
  const std::lock_guard lock(collection_.mutex);
  if (collection_.state == kRunning) return false;
  auto work = std::make_unique<Collector>(needs_.blobs, needs_.meta, needs_.gate, needs_.projects,
                                          needs_.clock, needs_.rules, dry_run);
  work->on_removed = needs_.on_gone;
  work->on_event = needs_.on_event;
  collection_.begin(std::move(work));
  return true;
}

bool AdminDesk::begin_scrub(bool dry_run) {
  if (scrub_.told_running()) return false;
  const std::lock_guard lock(scrub_.mutex);
  if (scrub_.state == kRunning) return false;
  scrub_.begin(std::make_unique<Scrubber>(
      needs_.blobs, needs_.meta.upkeep(), needs_.gate, dry_run,
      [this, dry_run](const ScrubReport::Bad& bad) { bad_blob(bad, dry_run); }));
  return true;
}

bool AdminDesk::collect_step() {
  const std::lock_guard lock(collection_.mutex);
  if (collection_.state != kRunning) return false;
  const bool more = collection_.stepped(collection_.work->step());
  if (!more) finished(collection_.work->report(), collection_.error);
  collection_.tell();
  return more;
}

bool AdminDesk::scrub_step(std::uint64_t budget) {
  const std::lock_guard lock(scrub_.mutex);
  if (scrub_.state != kRunning) return false;
  const std::uint64_t before = scrub_.work->report().bytes;
  const bool more = scrub_.stepped(scrub_.work->step(budget));
  needs_.metrics
      .counter("convoy_registry_scrubbed_bytes_total", "Stored bytes that were hashed again.")
      .add(static_cast<double>(scrub_.work->report().bytes - before));
  if (!more) finished(scrub_.work->report(), scrub_.error);
  scrub_.tell();
  return more;
}

void AdminDesk::finished(const ScrubReport& r, const std::string& error) {
  if (!r.dry_run && error.empty()) {
    const std::string now = std::to_string(needs_.clock.wall().time_since_epoch().count());
    // Without the note the next pass comes early.
    static_cast<void>(needs_.meta.upkeep().put_note(kScrubFinished, now).ok());
  }
  record("scrub.finish", security::AuditOutcome::observed, {}, error,
         {{"blobs", std::to_string(r.blobs)},
          {"bytes", std::to_string(r.bytes)},
          {"bad", std::to_string(r.bad.size())}});
}

std::optional<UnixTime> AdminDesk::last_scrub() {
  auto note = needs_.meta.upkeep().note(kScrubFinished);
  if (!note) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, fault] = std::from_chars(note->data(), note->data() + note->size(), seconds);
  if (fault == std::errc() && end != note->data()) return UnixTime(std::chrono::seconds(seconds));
  // The first pass of a new registry comes an interval after its start.
  const UnixTime now = needs_.clock.wall();
  const std::string text = std::to_string(now.time_since_epoch().count());
  static_cast<void>(needs_.meta.upkeep().put_note(kScrubFinished, text).ok());
  return now;
}

void AdminDesk::finished(const CollectReport& r, const std::string& error) {
  record(r.dry_run ? "gc.rehearse" : "gc.finish", security::AuditOutcome::observed, {}, error,
         {{"tags", std::to_string(r.tags)},
          {"manifests", std::to_string(r.manifests)},
          {"links", std::to_string(r.links)},
          {"blobs", std::to_string(r.blobs)},
          {"bytes", std::to_string(r.blob_bytes)}});
  needs_.metrics
      .counter("convoy_registry_collections_total", "Collections of storage by their end.",
               {{"outcome", error.empty() ? "done" : "failed"}})
      .add();
  if (r.dry_run) return;
  for (const auto& e : r.explained) {
    security::AuditEvent event;
    event.action = "tag.retire";
    event.repository = e.repository;
    event.reason = "retention";
    event.extra.emplace_back("tag", e.decision.tag);
    event.extra.emplace_back("why", e.decision.reason);
    needs_.audit.record(std::move(event));
  }
  const auto removed = [&](const char* kind, std::uint64_t n) {
    needs_.metrics
        .counter("convoy_registry_collected_total", "What collections removed.", {{"kind", kind}})
        .add(static_cast<double>(n));
  };
  removed("tag", r.tags);
  removed("manifest", r.manifests);
  removed("link", r.links);
  removed("blob", r.blobs);
  needs_.metrics.counter("convoy_registry_collected_bytes_total", "Bytes that collections freed.")
      .add(static_cast<double>(r.blob_bytes));
}

void AdminDesk::bad_blob(const ScrubReport::Bad& bad, bool dry_run) {
  needs_.metrics
      .counter("convoy_registry_bad_blobs_total", "Stored blobs that a scrub found bad.",
               {{"reason", bad.reason}})
      .add();
  const bool quarantined = bad.reason == "digest_mismatch" && !dry_run;
  if (quarantined && needs_.on_gone) needs_.on_gone(bad.digest);
  record(quarantined ? "blob.quarantine" : "blob.bad", security::AuditOutcome::observed,
         bad.digest.str(), bad.reason, {});
}

void AdminDesk::record(std::string action, security::AuditOutcome outcome, std::string digest,
                       std::string reason, std::vector<std::pair<std::string, std::string>> extra) {
  security::AuditEvent event;
  event.action = std::move(action);
  event.outcome = outcome;
  event.actor = "registry";
  event.digest = std::move(digest);
  event.reason = std::move(reason);
  event.extra = std::move(extra);
  needs_.audit.record(std::move(event));
}

}  // namespace convoy::registry
