#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "security/audit/audit.hpp"
#include "wire/http/message.hpp"

namespace convoy::security {

/// Who may administer a running role: whoever shows the token that the role wrote, readable by its
/// own user alone, into its data directory. Refusals and orders are audited.
class OperatorKey {
 public:
  /// `token` must be random and new with each start.
  OperatorKey(std::string token, AuditLog& audit) : token_(std::move(token)), audit_(audit) {}

  /// Writes admin.json ({"ops":…,"token":…}, mode 0600) into the open directory.
  Status publish(int dir, std::string_view ops) const;
  /// Takes the file away.
  static void withdraw(int dir) noexcept;

  /// Whether the request carries the token ("Authorization: Bearer …"); else that is audited.
  bool admits(const http::RequestHead&, const std::string& remote_ip,
              const std::string& request_id) const;
  /// An order was given. `target` stands in the audit log, so it must be of an admitted request.
  void ordered(const http::RequestHead&, const std::string& remote_ip,
               const std::string& request_id) const;

 private:
  bool shown_in(const http::RequestHead&) const;

  Secret token_;
  AuditLog& audit_;
};

}  // namespace convoy::security
