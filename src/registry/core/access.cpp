#include "registry/core/access.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxRemembered = 4096;

bool satisfied(const std::vector<auth::Access>& have, const auth::Access& need) {
  return std::all_of(need.actions.begin(), need.actions.end(), [&](const std::string& action) {
    return auth::allows(have, need.type, need.name, action);
  });
}

}  // namespace

Result<security::RegistryToken> AccessControl::token_of(std::string_view authorization) {
  auto credential = auth::parse_authorization(authorization);
  if (!credential) return std::move(credential).error();
  const auto* bearer = std::get_if<auth::BearerCredential>(&*credential);
  if (bearer == nullptr) return unauthorized("authorization_invalid", "not a Bearer token");

  const std::string_view text = bearer->token.reveal();
  const Hash256 hash = crypto::sha256(as_bytes(text));
  std::string key(as_text(hash));
  const auto known = verified_.find(key);
  if (known != verified_.end()) {
    if (clock_->wall() < known->second.expires) return known->second;
    verified_.erase(known);
  }
  auto token = verifier_.verify(text);
  if (!token) return token;
  // Simple and bounded: a full table starts again, at the price of one verification for each token.
  if (verified_.size() >= kMaxRemembered) verified_.clear();
  if (clock_->wall() < token->expires) verified_.emplace(std::move(key), *token);
  return token;
}

Result<Caller> AccessControl::check(const std::optional<std::string_view>& authorization,
                                    const std::vector<auth::Access>& needs) {
  if (!authorization) return unauthorized("token_missing");
  auto token = token_of(*authorization);
  if (!token) return unauthorized(token.error().code(), token.error().detail());
  for (const auto& need : needs) {
    if (!satisfied(token->access, need))
      return unauthorized("token_insufficient_scope", need.str());
  }
  return Caller{std::move(token->subject), std::move(token->access)};
}

auth::Challenge AccessControl::challenge(std::string realm, const std::vector<auth::Access>& needs,
                                         const Error& error) const {
  auth::Challenge out{"bearer", {{"realm", std::move(realm)}, {"service", service_}}};
  std::string scope;
  for (const auto& need : needs) {
    if (!scope.empty()) scope += ' ';
    scope += need.str();
  }
  if (!scope.empty()) out.params["scope"] = std::move(scope);
  if (error.code() == "token_insufficient_scope")
    out.params["error"] = "insufficient_scope";
  else if (error.code() != "token_missing")
    out.params["error"] = "invalid_token";
  return out;
}

}  // namespace convoy::registry
