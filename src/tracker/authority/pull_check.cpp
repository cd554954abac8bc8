#include "tracker/authority/pull_check.hpp"

#include <boost/json/object.hpp>

#include "crypto/hash.hpp"
#include "wire/auth/challenge.hpp"
#include "wire/auth/jwt.hpp"
#include "wire/auth/scope.hpp"
#include "wire/json.hpp"

namespace convoy::tracker {
namespace {

/// Whether the registry itself issued it, by its own word: only then is it verified here.
bool claims_issuer(const Secret& token, const std::string& issuer) {
  const auto parsed = auth::parse_jwt(token.reveal());
  return parsed.ok() && wire::json_string(parsed->claims, "iss") == issuer;
}

Result<PullRight> verify_offline(const Registry& registry, const oci::RepoName& repo,
                                 const Secret& token) {
  auto verified = registry.tokens->verify(token.reveal());
  if (!verified) return std::move(verified).error();
  if (!auth::allows(verified->access, "repository", repo.str(), "pull")) {
    return denied("pull_denied", "the token of '" + verified->subject + "' has no pull there");
  }
  return PullRight{verified->subject};
}

/// Only a hash of the credential is kept.
std::string decision_key(const Registry& registry, const oci::RepoName& repo,
                         const oci::Digest& digest, const std::optional<Secret>& authorization) {
  std::string key = registry.host + '\n' + repo.str() + '\n' + digest.str() + '\n';
  if (authorization) key += to_hex(crypto::sha256(as_bytes(authorization->reveal())));
  return key;
}

Error refusal(const Error& cause, bool anonymous) {
  switch (cause.kind()) {
    case ErrorClass::unauthorized:
      return unauthorized(anonymous ? "authorization_required" : "authorization_refused");
    case ErrorClass::denied:
      return denied("pull_denied", "the registry says so");
    case ErrorClass::not_found:
      return not_found("blob_unknown");
    case ErrorClass::cancelled:
      return cause;
    default:
      if (cause.code() == "tracker_busy") return cause;
      return unavailable("registry_unavailable", cause.text());
  }
}

net::Task<Result<bool>> head(const Registry& registry, oci::RepoName repo, oci::Digest digest,
                             std::optional<Secret> authorization, std::string request_id,
                             Deadline deadline) {
  auto info = co_await registry.blobs->head_blob(repo, digest, authorization, request_id, deadline);
  if (!info) co_return std::move(info).error();
  co_return true;
}

}  // namespace

PullCheck::PullCheck(net::Executor executor, net::TaskGroup& group, std::size_t max_calls,
                     std::chrono::seconds registry_timeout, const Clock& clock)
    : asked_(std::move(executor), group,
             {.life = kPullDecisionLife, .max_entries = 100'000, .max_tasks = max_calls}, clock),
      timeout_(registry_timeout),
      clock_(clock) {}

net::Task<Result<PullRight>> PullCheck::check(const Registry& registry, oci::RepoName repo,
                                              oci::Digest digest,
                                              std::optional<Secret> authorization,
                                              std::string request_id) {
  std::string subject;
  if (authorization) {
    auto credential = auth::parse_authorization(authorization->reveal());
    if (!credential) co_return unauthorized("authorization_invalid");
    if (const auto* bearer = std::get_if<auth::BearerCredential>(&*credential)) {
      const bool own = registry.tokens && claims_issuer(bearer->token, registry.issuer);
      if (own) co_return verify_offline(registry, repo, bearer->token);
    } else {
      subject = std::get<auth::BasicCredential>(*credential).user;
    }
  }
  co_return co_await ask(registry, std::move(repo), std::move(digest), std::move(authorization),
                         std::move(subject), std::move(request_id));
}

net::Task<Result<PullRight>> PullCheck::ask(const Registry& registry, oci::RepoName repo,
                                            oci::Digest digest, std::optional<Secret> authorization,
                                            std::string subject, std::string request_id) {
  const Deadline deadline = Deadline::in(clock_, timeout_);
  const bool anonymous = !authorization;
  std::string key = decision_key(registry, repo, digest, authorization);
  SingleFlight<bool>::Fetch fetch = [&registry, repo, digest, authorization, request_id, deadline] {
    return head(registry, repo, digest, authorization, request_id, deadline);
  };
  auto answer = co_await asked_.get(std::move(key), std::move(fetch), deadline);
  if (!answer) co_return refusal(answer.error(), anonymous);
  co_return PullRight{std::move(subject)};
}

}  // namespace convoy::tracker
