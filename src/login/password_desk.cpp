#include "login/password_desk.hpp"

namespace convoy::login {
namespace {

// A password check takes tens of milliseconds of a worker: with more of them in line the disk would
// wait behind strangers.
constexpr std::size_t kMaxChecking = 16;
constexpr Duration kPatience = std::chrono::seconds(10);

}  // namespace

PasswordDesk::PasswordDesk(std::shared_ptr<const security::UserDirectory> users,
                           net::Executor executor, net::WorkerPool& pool, const Clock& clock,
                           Random& random, net::LoginAlert alert)
    : users_(std::move(users)),
      pool_(pool),
      clock_(clock),
      alert_(std::move(alert)),
      good_(random),
      checking_(executor) {}

void PasswordDesk::replace_users(std::shared_ptr<const security::UserDirectory> users) {
  users_ = std::move(users);
  good_.clear();
}

net::Task<Status> PasswordDesk::check(auth::BasicCredential credential, std::string remote_ip) {
  const Secret login(credential.user + '\0' + std::string(credential.password.reveal()));
  const std::string key = good_.key_of(login);
  const bool free = co_await checking_.wait(key, kPatience);
  if (!free) co_return exhausted("logins_busy", "1");
  if (good_.knows(key, clock_.steady())) co_return Status{};
  const auto wait = guard_.wait_for(credential.user, remote_ip, clock_.steady());
  if (wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait);
    co_return exhausted("credentials_slowed", std::to_string(seconds.count()));
  }
  if (checking_.size() >= kMaxChecking) co_return exhausted("logins_busy", "1");
  const std::string user = credential.user;
  Status verified = co_await verify(std::move(credential), key);
  if (verified) {
    guard_.succeeded(user);
  } else if (guard_.failed(user, remote_ip, clock_.steady())) {
    alert_.raise(user, remote_ip);
  }
  co_return verified;
}

net::Task<Status> PasswordDesk::verify(auth::BasicCredential credential, std::string key) {
  const auto users = users_;
  const net::Turn turn(checking_, key);
  auto job = [&users, &credential] { return users->verify(credential.user, credential.password); };
  Status verified = co_await pool_.run(std::move(job));
  // Not when the users were replaced meanwhile.
  if (verified && users == users_) good_.add(std::move(key), clock_.steady());
  co_return verified;
}

}  // namespace convoy::login
