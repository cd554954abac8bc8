#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "net/metrics.hpp"
#include "net/worker_pool.hpp"
#include "security/audit/file_audit_log.hpp"

namespace convoy::wiring {

/// What all roles of the process share. Outlives them.
struct Runtime {
  SystemClock clock;
  SystemRandom random;
  boost::asio::io_context io{1};
  net::WorkerPool pool{2};
  std::shared_ptr<net::Metrics> metrics = std::make_shared<net::Metrics>();
  std::unique_ptr<security::FileAuditLog> audit;
  Logger log;

  /// `log_fd` stays the caller's. Error "audit_open".
  static Result<std::unique_ptr<Runtime>> make(LogLevel, int log_fd, const std::string& audit_file);
  /// Nothing when a role may serve on it. An audit that cannot be written stops no request, but
  /// whoever watches must know.
  std::optional<std::string> not_ready() const;

 private:
  Runtime(LogLevel, int log_fd);
};

}  // namespace convoy::wiring
