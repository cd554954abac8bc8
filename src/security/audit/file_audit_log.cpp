#include "security/audit/file_audit_log.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <set>
#include <unistd.h>
#include <utility>

#include "crypto/hash.hpp"

namespace convoy::security {
namespace {

constexpr std::chrono::milliseconds kSyncEvery{100};
constexpr std::size_t kMaxText = 1024;  // of one value, before it is escaped
constexpr std::size_t kMaxName = 64;    // of an extra value
constexpr std::size_t kMaxExtra = 32;
constexpr std::uint64_t kMaxLine = 512 * 1024;  // more than a line of all these can reach
constexpr std::string_view kLineStart = R"({"seq":)";

std::string_view to_string(AuditOutcome outcome) {
  switch (outcome) {
    case AuditOutcome::granted:
      return "granted";
    case AuditOutcome::refused:
      return "refused";
    case AuditOutcome::observed:
      return "observed";
  }
  return "";
}

void add(std::string& line, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  line += ',';
  append_json_string(line, name);
  line += ':';
  append_json_string(line, value.substr(0, kMaxText));
}

/// In an object of its own, so that no extra name can pose as one of the event's.
std::string extra_members(const AuditEvent& e) {
  std::string inner;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : e.extra) {
    const auto key = std::string_view(name).substr(0, kMaxName);
    if (seen.size() == kMaxExtra) break;
    if (seen.insert(key).second) add(inner, key, value);
  }
  return inner.empty() ? inner : R"(,"extra":{)" + inner.substr(1) + '}';
}

std::string to_line(const AuditEvent& e, std::uint64_t seq, UnixTime time, const Hash256& prev) {
  std::string line = std::string(kLineStart) + std::to_string(seq);
  add(line, "time", to_rfc3339(time));
  add(line, "prev", to_hex(prev));
  add(line, "action", e.action);
  add(line, "outcome", to_string(e.outcome));
  add(line, "actor", e.actor);
  add(line, "node", e.node);
  add(line, "remote_ip", e.remote_ip);
  add(line, "digest", e.digest);
  add(line, "repository", e.repository);
  add(line, "reason", e.reason);
  add(line, "request_id", e.request_id);
  line += extra_members(e);
  line += '}';
  return line;
}

Error open_error(const std::string& path, std::string_view what) {
  return unavailable("audit_open", path + ": " + std::string(what));
}

bool eat(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

struct Link {
  std::uint64_t seq = 0;
  std::string_view prev;
};

/// The beginning that to_line() writes. Read without a JSON parser: what stands further back is
/// partly outsiders' text, and no such text may make the log unreadable.
std::optional<Link> link_of(std::string_view line) {
  constexpr std::size_t kTimeLength = 20;
  constexpr std::size_t kHashLength = 64;
  Link out;
  if (!line.ends_with('}') || !eat(line, kLineStart)) return std::nullopt;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), out.seq);
  if (error != std::errc() || out.seq == 0) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (!eat(line, R"(,"time":")") || line.size() < kTimeLength) return std::nullopt;
  line.remove_prefix(kTimeLength);
  if (!eat(line, R"(","prev":")") || line.size() < kHashLength + 1) return std::nullopt;
  out.prev = line.substr(0, kHashLength);
  return line[kHashLength] == '"' ? std::optional(out) : std::nullopt;
}

}  // namespace

/// Where a log goes on after a restart.
struct FileAuditLog::End {
  std::uint64_t seq = 0;
  Hash256 hash{};
  std::uint64_t size = 0;  ///< of all whole lines

  static Result<End> find(int fd);
};

Result<FileAuditLog::End> FileAuditLog::End::find(int fd) {
  const auto size = storage::file_size(fd, "audit_open");
  if (!size) return size.error();
  Bytes tail(static_cast<std::size_t>(std::min<std::uint64_t>(*size, kMaxLine)));
  if (auto read = storage::read_exact(fd, *size - tail.size(), tail, "audit_open"); !read) {
    return std::move(read).error();
  }
  const auto text = as_text(tail);
  const std::size_t whole = text.rfind('\n') + 1;  // npos + 1: no whole line
  const auto torn = text.substr(whole);
  if (torn.substr(0, kLineStart.size()) != kLineStart.substr(0, torn.size())) {
    return corrupt("audit_open", "not an audit log");
  }
  End out;
  out.size = *size - torn.size();
  if (whole == 0) return out;
  const auto lines = text.substr(0, whole - 1);
  const auto last = lines.substr(lines.rfind('\n') + 1);
  const auto link = link_of(last);
  if (!link) return corrupt("audit_open", "the last line is no audit record");
  out.seq = link->seq;
  out.hash = crypto::sha256(as_bytes(last));
  return out;
}

Result<std::unique_ptr<FileAuditLog>> FileAuditLog::open(const std::string& path,
                                                         const Clock& clock,
                                                         AuditFileOptions options) {
  const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  storage::Fd fd(::open(path.c_str(), flags, 0600));
  if (!fd) return open_error(path, std::strerror(errno));
  const auto end = End::find(fd.get());
  if (!end) return open_error(path, end.error().text());
  // A line torn by a crash would break the chain for ever.
  if (::ftruncate(fd.get(), static_cast<off_t>(end->size)) != 0) {
    return open_error(path, std::strerror(errno));
  }
  return std::unique_ptr<FileAuditLog>(
      new FileAuditLog(path, clock, std::move(options), std::move(fd), *end));
}

FileAuditLog::FileAuditLog(const std::string& path, const Clock& clock, AuditFileOptions options,
                           storage::Fd fd, const End& end)
    : path_(path),
      clock_(&clock),
      options_(std::move(options)),
      fd_(std::move(fd)),
      seq_(end.seq),
      prev_(end.hash),
      size_(end.size),
      syncer_([this] { sync_loop(); }) {}

FileAuditLog::~FileAuditLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  syncer_.join();
}

Status FileAuditLog::append(const AuditEvent& event) {
  std::string line = to_line(event, seq_ + 1, clock_->wall(), prev_);
  const Hash256 hash = crypto::sha256(as_bytes(line));
  line += '\n';
  auto done = storage::write_all(fd_.get(), size_, as_bytes(line), "audit_write", *options_.disk);
  if (!done) {
    // Half a line would swallow the next one. If even this fails, End::find() mends it later.
    [[maybe_unused]] const int cut = options_.disk->truncate(fd_.get(), static_cast<off_t>(size_));
    return done;
  }
  size_ += line.size();
  ++seq_;
  prev_ = hash;
  return {};
}

void FileAuditLog::record(AuditEvent event) {
  {
    const std::lock_guard lock(mutex_);
    Status done = tell_gap();
    if (done) done = append(event);
    if (done) {
      if (std::exchange(dirty_, true)) return;
    } else {
      ++lost_;
      failed(done.error());
    }
  }
  wake_.notify_one();
}

Status FileAuditLog::tell_gap() {
  if (!trouble_ || gap_told_) return {};
  AuditEvent gap;
  gap.action = "audit.gap";
  gap.reason = trouble_->code();
  gap.extra = {{"events", std::to_string(lost_)}};
  if (auto done = append(gap); !done) return done;
  lost_ = 0;
  gap_told_ = true;
  dirty_ = true;
  return {};
}

void FileAuditLog::failed(const Error& error) {
  gap_told_ = false;
  if (options_.on_failure) options_.on_failure();
  if (trouble_) return;
  trouble_ = error;
  options_.log.error("audit events are lost",
                     {{"path", path_},
                      {"code", error.code()},
                      {"detail", error.detail()},
                      {"hint", "make room on the disk, or mend it; writing is tried again"}});
}

void FileAuditLog::mended() {
  trouble_.reset();
  gap_told_ = false;
  options_.log.info("audit events are written again", {{"path", path_}});
}

std::optional<std::string> FileAuditLog::trouble() const {
  const std::lock_guard lock(mutex_);
  if (!trouble_) return std::nullopt;
  return path_ + ": " + trouble_->text();
}

void FileAuditLog::sync(std::unique_lock<std::mutex>& lock) {
  dirty_ = false;
  const bool gap_told = gap_told_;
  lock.unlock();
  Status done = storage::sync_fd(fd_.get(), "audit_sync", *options_.disk);
  lock.lock();
  if (!done) {
    failed(done.error());
  } else if (gap_told && gap_told_) {
    mended();
  }
}

void FileAuditLog::sync_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return dirty_ || trouble_ || stopping_; });
    if (stopping_ && !dirty_) return;
    // Whatever else comes within this time goes to the disk with the same sync.
    const Duration pause = trouble_ ? options_.retry : kSyncEvery;
    wake_.wait_for(lock, pause, [this] { return stopping_; });
    if (auto told = tell_gap(); !told) failed(told.error());
    if (dirty_) sync(lock);
  }
}

Result<std::uint64_t> verify_audit_chain(std::string_view text) {
  Hash256 prev{};
  std::uint64_t seq = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto where = "line " + std::to_string(seq + 1);
    if (end == std::string_view::npos) return corrupt("audit_chain", where + " is cut short");
    const auto link = link_of(line);
    if (!link) return corrupt("audit_chain", where + " is no record");
    if (link->seq != seq + 1) return corrupt("audit_chain", where + " has another number");
    if (link->prev != to_hex(prev)) {
      return corrupt("audit_chain", where + " does not follow the one before");
    }
    prev = crypto::sha256(as_bytes(line));
    ++seq;
    text.remove_prefix(end + 1);
  }
  return seq;
}

}  // namespace convoy::security
