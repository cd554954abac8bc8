#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace convoy::security {

enum class AuditOutcome : std::uint8_t { granted, refused, observed };

/// A decision. Texts that do not apply stay empty and are left out of the record. Nothing in
/// it may be a secret: no token, ticket, password or key.
struct AuditEvent {
  std::string action;  ///< "<what>.<decision>": "ticket.grant", "ticket.refuse", "peer.refuse",
                       ///< "pull.grant", "push.refuse", "token.grant", "enrol.grant", …
  AuditOutcome outcome = AuditOutcome::observed;
  std::string actor;      ///< the user, or the SPIFFE id that asked
  std::string node;       ///< SPIFFE id of the node concerned
  std::string remote_ip;  ///< of the connection
  std::string digest;
  std::string repository;
  std::string reason;  ///< stable code of a refusal: Error::code()
  std::string request_id;
  std::vector<std::pair<std::string, std::string>> extra;  ///< further names and values
};

/// Where decisions are recorded. Safe from any thread; never blocks for long.
class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual void record(AuditEvent) = 0;
};

/// Keeps all events, for tests.
class MemoryAuditLog final : public AuditLog {
 public:
  void record(AuditEvent) override;
  std::vector<AuditEvent> events() const;
  /// How many events have this action, and this reason unless it is "".
  std::size_t count(std::string_view action, std::string_view reason = {}) const;

 private:
  mutable std::mutex mutex_;
  std::vector<AuditEvent> events_;
};

}  // namespace convoy::security
