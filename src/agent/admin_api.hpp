#pragma once

#include <functional>

#include "agent/service.hpp"
#include "net/http_server.hpp"
#include "security/identity/operator_key.hpp"

namespace convoy::agent {

/// /convoy/v1/admin/rates (docs/protocols/agent-http.md). Who cannot show the operator's key learns
/// nothing.
class AdminApi {
 public:
  struct Rates {
    std::function<AgentRates()> get;
    std::function<void(const AgentRates&)> set;
  };
  AdminApi(security::OperatorKey key, Rates rates)
      : key_(std::move(key)), rates_(std::move(rates)) {}

  net::Task<void> handle(net::HttpExchange&);
  const security::OperatorKey& key() const { return key_; }

 private:
  struct Answer {
    int status;
    std::string body;
  };
  Answer answer(const http::RequestHead&, const std::string& body);

  security::OperatorKey key_;
  Rates rates_;
};

}  // namespace convoy::agent
