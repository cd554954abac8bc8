#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "security/audit/audit.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::security {

/// One JSON object a line, appended to a file of mode 0600: `seq` counts up without a gap across
/// restarts, `time`, `prev` (SHA-256 of the line before, so that a line changed or taken out
/// shows), then the event. On disk within 100 ms, and at destruction. One process for each file.
class FileAuditLog final : public AuditLog {
 public:
  /// Error (unavailable) "audit_open".
  static Result<std::unique_ptr<FileAuditLog>> open(const std::string& path, const Clock&);
  ~FileAuditLog() override;
  void record(AuditEvent) override;
  /// False from the first event that could not be written.
  bool healthy() const { return healthy_; }

 private:
  FileAuditLog(storage::Fd fd, const Clock& clock, std::uint64_t last_seq, const Hash256& last_hash,
               std::uint64_t size);
  bool append(std::string line);
  void sync_loop();

  storage::Fd fd_;
  const Clock* clock_;
  std::atomic<bool> healthy_{true};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::uint64_t seq_;
  Hash256 prev_;
  std::uint64_t size_;
  bool dirty_ = false;
  bool stopping_ = false;
  std::thread syncer_;
};

/// Checks the chain of a whole file: each line's `prev` and `seq`. The number of lines.
/// Error (corrupt) "audit_chain" with the line in the detail.
Result<std::uint64_t> verify_audit_chain(std::string_view text);

}  // namespace convoy::security
