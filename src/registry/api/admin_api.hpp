#pragma once

#include <string>

#include "base/secret.hpp"
#include "net/http_server.hpp"
#include "net/worker_pool.hpp"
#include "registry/core/admin_desk.hpp"
#include "security/audit/audit.hpp"

namespace convoy::registry {

/// /convoy/v1/admin/ over HTTP. Who cannot show the token learns nothing; each refusal and each
/// order is audited.
class AdminApi {
 public:
  static constexpr std::string_view kPrefix = "/convoy/v1/admin/";

  AdminApi(AdminDesk& desk, net::WorkerPool& pool, security::AuditLog& audit, std::string token)
      : desk_(desk), pool_(pool), audit_(audit), token_(std::move(token)) {}

  /// True when the request was an order that began something.
  net::Task<bool> handle(net::HttpExchange&);
  std::string token() const { return std::string(token_.reveal()); }

 private:
  bool authorised(const net::HttpExchange&) const;
  void audit(const net::HttpExchange&, bool granted);

  AdminDesk& desk_;
  net::WorkerPool& pool_;
  security::AuditLog& audit_;
  Secret token_;
};

}  // namespace convoy::registry
