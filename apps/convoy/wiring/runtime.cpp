#include "wiring/runtime.hpp"

#include <utility>

#include "cli/files.hpp"

namespace convoy::wiring {

Runtime::Runtime(LogLevel level, int log_fd)
    : log(std::make_shared<FdLogSink>(log_fd), clock, "convoy", level) {}

Result<std::unique_ptr<Runtime>> Runtime::make(LogLevel level, int log_fd,
                                               const std::string& audit_file) {
  std::unique_ptr<Runtime> runtime(new Runtime(level, log_fd));
  if (Status made = cli::make_folder(cli::folder_of(audit_file)); !made) {
    return std::move(made).error();
  }
  auto& failures = runtime->metrics->counter("convoy_audit_write_failures_total",
                                             "Writes of the audit file that failed.");
  security::AuditFileOptions options;
  options.log = runtime->log.module("audit");
  options.on_failure = [&failures] { failures.add(); };
  auto audit = security::FileAuditLog::open(audit_file, runtime->clock, std::move(options));
  if (!audit) return std::move(audit).error();
  runtime->audit = std::move(audit).value();
  return runtime;
}

std::optional<std::string> Runtime::not_ready() const {
  if (auto trouble = audit->trouble()) return "audit: " + *trouble;
  return std::nullopt;
}

}  // namespace convoy::wiring
