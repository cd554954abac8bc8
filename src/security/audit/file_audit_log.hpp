#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "security/audit/audit.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::security {

struct AuditFileOptions {
  Logger log = Logger::none();
  /// Called for each write and sync that fails, from any thread; must not block.
  std::function<void()> on_failure{};
  Duration retry = std::chrono::seconds(1);  ///< after a failure
  storage::Disk* disk = &storage::system_disk();
};

/// One JSON object a line, appended to a file of mode 0600: `seq` counts up without a gap across
/// restarts, `time`, `prev` (SHA-256 of the line before, so that a line changed or taken out
/// shows), then the event. On disk within 100 ms, and at destruction. One process for each file.
/// An event that cannot be written is lost; once writing works again a line "audit.gap" says how
/// many were.
class FileAuditLog final : public AuditLog {
 public:
  /// What `options` refers to must outlive it. Error (unavailable) "audit_open".
  static Result<std::unique_ptr<FileAuditLog>> open(const std::string& path, const Clock&,
                                                    AuditFileOptions options = {});
  ~FileAuditLog() override;
  void record(AuditEvent) override;
  /// Why events are lost; nothing when none is. Safe from any thread.
  std::optional<std::string> trouble() const;

 private:
  struct End;
  FileAuditLog(const std::string& path, const Clock&, AuditFileOptions, storage::Fd, const End&);
  Status append(const AuditEvent&);
  Status tell_gap();
  void failed(const Error&);
  void mended();
  void sync(std::unique_lock<std::mutex>&);
  void sync_loop();

  const std::string path_;
  const Clock* clock_;
  const AuditFileOptions options_;
  storage::Fd fd_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::uint64_t seq_;
  Hash256 prev_;
  std::uint64_t size_;
  std::optional<Error> trouble_;
  std::uint64_t lost_ = 0;  ///< events since the last gap that was told
  bool gap_told_ = false;   ///< of this trouble, and no failure since
  bool dirty_ = false;
  bool stopping_ = false;
  std::thread syncer_;
};

/// Checks the chain of a whole file: each line's `prev` and `seq`. The number of lines.
/// Error (corrupt) "audit_chain" with the line in the detail.
Result<std::uint64_t> verify_audit_chain(std::string_view text);

}  // namespace convoy::security
