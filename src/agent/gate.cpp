#include "agent/gate.hpp"

#include "crypto/hash.hpp"
#include "wire/auth/challenge.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kRemember = std::chrono::seconds(60);
constexpr std::size_t kMaxRemembered = 256;

}  // namespace

Result<Gate> Gate::make(const std::vector<AgentUser>& users, net::WorkerPool& pool,
                        const Clock& clock, Random& random) {
  std::vector<security::User> list;
  for (const auto& user : users) list.push_back({user.user, user.password_hash});
  auto directory = security::UserDirectory::make(std::move(list), {});
  if (!directory) return invalid("agent_option_invalid", directory.error().text());
  return Gate(std::move(*directory), pool, clock, random.hex(16));
}

std::string Gate::key_of(const Secret& authorization) const {
  const Secret salted(salt_ + std::string(authorization.reveal()));
  return to_hex(crypto::sha256(as_bytes(salted.reveal())));
}

void Gate::remember(std::string key) {
  if (good_until_.size() >= kMaxRemembered) good_until_.clear();
  good_until_.insert_or_assign(std::move(key), clock_->steady() + kRemember);
}

net::Task<Status> Gate::check(std::optional<Secret> authorization, std::string remote_ip) {
  if (!closed()) co_return Status{};
  if (!authorization) co_return unauthorized("credentials_missing");
  std::string key = key_of(*authorization);
  const auto known = good_until_.find(key);
  if (known != good_until_.end() && clock_->steady() < known->second) co_return Status{};

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
  remember(std::move(key));
  co_return Status{};
}

}  // namespace convoy::agent
