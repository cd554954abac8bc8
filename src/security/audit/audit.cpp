#include "security/audit/audit.hpp"

#include <algorithm>

namespace convoy::security {

void MemoryAuditLog::record(AuditEvent event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
}

std::vector<AuditEvent> MemoryAuditLog::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

std::size_t MemoryAuditLog::count(std::string_view action, std::string_view reason) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(events_.begin(), events_.end(), [&](const AuditEvent& e) {
        return e.action == action && (reason.empty() || e.reason == reason);
      }));
}

}  // namespace convoy::security
