#include "registry/core/token_service.hpp"

namespace convoy::registry {

TokenService::TokenService(security::RegistryTokenIssuer issuer,
                           std::shared_ptr<const security::UserDirectory> users,
                           net::Executor executor, net::WorkerPool& pool, const Clock& clock,
                           Random& random, net::LoginAlert alert)
    : issuer_(std::move(issuer)),
      logins_(std::move(users), executor, pool, clock, random, std::move(alert)) {}

net::Task<Result<TokenReply>> TokenService::grant(TokenRequest request) {
  std::optional<std::string> user;
  if (request.credential) {
    user = request.credential->user;
    Status verified = co_await logins_.check(std::move(*request.credential), request.remote_ip);
    if (!verified) co_return std::move(verified).error();
  }
  TokenReply reply;
  reply.subject = user.value_or("");
  reply.granted = users()->granted(user, request.wanted);
  reply.issued = issuer_.issue(reply.subject, reply.granted);
  co_return std::move(reply);
}

}  // namespace convoy::registry
