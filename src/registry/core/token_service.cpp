#include "registry/core/token_service.hpp"

namespace convoy::registry {
namespace {

// A password check takes tens of milliseconds of a worker: with more of them in line the disk would
// wait behind strangers.
constexpr std::size_t kMaxChecking = 16;

struct Counted {
  explicit Counted(std::size_t& n) : n_(n) { ++n_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --n_; }
  std::size_t& n_;
};

}  // namespace

TokenService::TokenService(security::RegistryTokenIssuer issuer,
                           std::shared_ptr<const security::UserDirectory> users,
                           net::WorkerPool& pool, const Clock& clock)
    : issuer_(std::move(issuer)), users_(std::move(users)), pool_(pool), clock_(clock) {}

net::Task<Status> TokenService::authenticate(auth::BasicCredential credential,
                                             std::string remote_ip) {
  const auto wait = guard_.wait_for(credential.user, remote_ip, clock_.steady());
  if (wait) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait);
    co_return exhausted("credentials_slowed", std::to_string(seconds.count()));
  }
  if (checking_ >= kMaxChecking) co_return exhausted("logins_busy", "1");
  const Counted counted(checking_);
  const auto users = users_;
  auto job = [&users, &credential] { return users->verify(credential.user, credential.password); };
  Status verified = co_await pool_.run(std::move(job));
  if (verified) {
    guard_.succeeded(credential.user);
  } else {
    guard_.failed(credential.user, remote_ip, clock_.steady());
  }
  co_return verified;
}

net::Task<Result<TokenReply>> TokenService::grant(TokenRequest request) {
  std::optional<std::string> user;
  if (request.credential) {
    user = request.credential->user;
    Status verified = co_await authenticate(std::move(*request.credential), request.remote_ip);
    if (!verified) co_return std::move(verified).error();
  }
  TokenReply reply;
  reply.subject = user.value_or("");
  reply.granted = users_->granted(user, request.wanted);
  reply.issued = issuer_.issue(reply.subject, reply.granted);
  co_return std::move(reply);
}

}  // namespace convoy::registry
