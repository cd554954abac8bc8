#include "agent/gate.hpp"

#include "wire/auth/challenge.hpp"

namespace convoy::agent {

Result<Gate> Gate::make(const std::vector<AgentUser>& users, net::Executor executor,
                        net::WorkerPool& pool, const Clock& clock, Random& random,
                        net::LoginAlert alert) {
  Gate gate;
  if (users.empty()) return gate;
  std::vector<security::User> list;
  for (const auto& user : users) list.push_back({user.user, user.password_hash});
  auto directory = security::UserDirectory::make(std::move(list), {});
  if (!directory) return invalid("agent_option_invalid", directory.error().text());
  auto shared = std::make_shared<const security::UserDirectory>(std::move(*directory));
  gate.logins_ = std::make_unique<login::PasswordDesk>(std::move(shared), std::move(executor), pool,
                                                       clock, random, std::move(alert));
  return gate;
}

net::Task<Status> Gate::check(std::optional<Secret> authorization, std::string remote_ip) {
  if (!closed()) co_return Status{};
  if (!authorization) co_return unauthorized("credentials_missing");
  auto parsed = auth::parse_authorization(authorization->reveal());
  auto* basic = parsed ? std::get_if<auth::BasicCredential>(&*parsed) : nullptr;
  if (basic == nullptr) co_return unauthorized("credentials_invalid");
  co_return co_await logins_->check(std::move(*basic), std::move(remote_ip));
}

}  // namespace convoy::agent
