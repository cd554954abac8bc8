#include "agent/gate.hpp"

#include "wire/auth/challenge.hpp"

namespace convoy::agent {

Result<Gate> Gate::make(const std::vector<AgentUser>& users, net::WorkerPool& pool,
                        const Clock& clock, Random& random) {
  std::vector<security::User> list;
  for (const auto& user : users) list.push_back({user.user, user.password_hash});
  auto directory = security::UserDirectory::make(std::move(list), {});
  if (!directory) return invalid("agent_option_invalid", directory.error().text());
  return Gate(std::move(*directory), pool, clock, random);
}

net::Task<Status> Gate::check(std::optional<Secret> authorization, std::string remote_ip) {
  if (!closed()) co_return Status{};
  if (!authorization) co_return unauthorized("credentials_missing");
  std::string key = good_.key_of(*authorization);
  if (good_.knows(key, clock_->steady())) co_return Status{};

  auto parsed = auth::parse_authorization(authorization->reveal());
  auto* basic = parsed ? std::get_if<auth::BasicCredential>(&*parsed) : nullptr;
  if (basic == nullptr) co_return unauthorized("credentials_invalid");
  const std::string user = basic->user;
  if (guard_.wait_for(user, remote_ip, clock_->steady())) co_return exhausted("too_many_attempts");
  const security::UserDirectory* users = &users_;
  auto job = [users, user, password = basic->password] { return users->verify(user, password); };
  auto verified = co_await pool_->run(std::move(job));
  if (!verified) {
    guard_.failed(user, remote_ip, clock_->steady());
    co_return unauthorized("credentials_invalid");
  }
  guard_.succeeded(user);
  good_.add(std::move(key), clock_->steady());
  co_return Status{};
}

}  // namespace convoy::agent
