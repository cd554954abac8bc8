#include "wiring/runtime.hpp"

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
  auto audit = security::FileAuditLog::open(audit_file, runtime->clock);
  if (!audit) return std::move(audit).error();
  runtime->audit = std::move(audit).value();
  return runtime;
}

}  // namespace convoy::wiring
