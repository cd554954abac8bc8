#pragma once

#include <string>

#include "net/http_server.hpp"
#include "net/worker_pool.hpp"
#include "registry/core/admin_desk.hpp"
#include "security/identity/operator_key.hpp"

namespace convoy::registry {

/// /convoy/v1/admin/ over HTTP. Who cannot show the operator's key learns nothing.
class AdminApi {
 public:
  static constexpr std::string_view kPrefix = "/convoy/v1/admin/";

  AdminApi(AdminDesk& desk, net::WorkerPool& pool, security::OperatorKey key)
      : desk_(desk), pool_(pool), key_(std::move(key)) {}

  /// True when the request was an order that began something.
  net::Task<bool> handle(net::HttpExchange&);
  const security::OperatorKey& key() const { return key_; }

 private:
  AdminDesk& desk_;
  net::WorkerPool& pool_;
  security::OperatorKey key_;
};

}  // namespace convoy::registry
