#include "clients/registry/token_source.hpp"

#include <algorithm>
#include <boost/json/object.hpp>

#include "clients/registry/registry_status.hpp"
#include "crypto/hash.hpp"
#include "wire/json.hpp"

namespace convoy::clients {
namespace {

constexpr std::size_t kMaxTokenAnswer = 64 * 1024;
constexpr std::size_t kMaxKept = 1024;
constexpr std::chrono::seconds kMinLife{60};  // a registry that says less is read as 60 s
constexpr std::chrono::seconds kMaxLife{3600};
constexpr std::chrono::seconds kNoTokenLife{60};
constexpr std::chrono::seconds kChallengeLife{60};
constexpr std::chrono::seconds kStandsFor{5};  // a refused token that is younger is not replaced

std::uint16_t usual_port(bool tls) { return tls ? 443 : 80; }

bool host_matches(const http::Url& url, std::string_view entry) {
  if (http::iequals(entry, url.authority())) return true;
  return http::iequals(entry, url.host) && url.port == usual_port(url.tls);
}

const auth::Challenge* find_scheme(const std::vector<auth::Challenge>& all,
                                   std::string_view scheme) {
  const auto it = std::find_if(all.begin(), all.end(),
                               [&](const auth::Challenge& c) { return c.scheme == scheme; });
  return it == all.end() ? nullptr : &*it;
}

std::string param(const auth::Challenge& challenge, const std::string& key) {
  const auto it = challenge.params.find(key);
  return it == challenge.params.end() ? std::string() : it->second;
}

std::string token_target(const std::string& realm_target, const std::string& service,
                         const oci::RepoName& repo, const std::optional<RegistryCredential>& who) {
  std::string target = realm_target;
  target += target.find('?') == std::string::npos ? '?' : '&';
  if (!service.empty()) target += "service=" + http::percent_encode(service) + '&';
  target += "scope=" + http::percent_encode("repository:" + repo.str() + ":pull");
  if (who) target += "&account=" + http::percent_encode(who->user);
  return target + "&client_id=convoy";
}

bool same(const std::optional<Secret>& a, const std::optional<Secret>& b) {
  return a.has_value() == b.has_value() && (!a || a->equals(b->reveal()));
}

std::string cache_key(const oci::RepoName& repo, const std::optional<RegistryCredential>& who) {
  if (!who) return repo.str();
  const Secret secret(who->user + '\0' + std::string(who->password.reveal()));
  return repo.str() + '\n' + to_hex(crypto::sha256(as_bytes(secret.reveal())));
}

}  // namespace

Result<http::Url> allowed_realm(std::string_view realm, const http::Url& base,
                                const std::vector<std::string>& token_hosts) {
  auto url = http::parse_url(realm);
  if (!url) return denied("token_realm_refused", "the realm is no URL");
  if (base.tls && !url->tls) return denied("token_realm_refused", "the realm is without TLS");
  const bool own = http::iequals(url->host, base.host) && url->port == base.port;
  const bool listed = std::any_of(token_hosts.begin(), token_hosts.end(),
                                  [&](const auto& entry) { return host_matches(*url, entry); });
  if (!own && !listed) {
    return denied("token_realm_refused", "realm on " + url->authority() +
                                             ", which is neither the registry nor an allowed host");
  }
  return url;
}

TokenSource::TokenSource(std::shared_ptr<net::HttpClient> http, http::Url base,
                         std::vector<std::string> token_hosts, const Clock& clock)
    : http_(std::move(http)),
      base_(std::move(base)),
      token_hosts_(std::move(token_hosts)),
      clock_(clock),
      asking_(http_->executor()) {}

net::Task<Result<std::optional<Secret>>> TokenSource::pull(
    oci::RepoName repo, std::optional<RegistryCredential> credential, std::string request_id,
    Deadline deadline) {
  const std::string key = cache_key(repo, credential);
  const bool free = co_await asking_.wait(key, deadline.time() - clock_.steady());
  if (!free) co_return unavailable("registry_unavailable", "no token in time");
  if (const auto it = kept_.find(key); it != kept_.end() && clock_.steady() < it->second.until) {
    co_return it->second.authorization;
  }
  const net::Turn turn(asking_, key);
  co_return co_await ask(key, std::move(repo), std::move(credential), std::move(request_id),
                         deadline);
}

net::Task<Result<std::optional<Secret>>> TokenSource::pull_again(
    oci::RepoName repo, std::optional<RegistryCredential> credential, std::optional<Secret> refused,
    std::string request_id, Deadline deadline) {
  const auto it = kept_.find(cache_key(repo, credential));
  if (it != kept_.end() && same(it->second.authorization, refused)) {
    const bool young = clock_.steady() < it->second.since + kStandsFor;
    if (young) co_return unauthorized("registry_unauthorized", "a new token was refused");
    kept_.erase(it);
  }
  auto other =
      co_await pull(std::move(repo), std::move(credential), std::move(request_id), deadline);
  if (other && same(*other, refused)) {
    co_return unauthorized("registry_unauthorized", "the same was refused");
  }
  co_return other;
}

net::Task<Result<std::optional<Secret>>> TokenSource::ask(
    std::string key, oci::RepoName repo, std::optional<RegistryCredential> credential,
    std::string request_id, Deadline deadline) {
  Result<Challenges> challenges = heard_;
  if (heard_.empty() || clock_.steady() >= heard_until_) {
    challenges = co_await challenge(request_id, deadline);
  }
  if (!challenges) co_return std::move(challenges).error();
  if (challenges->empty()) {
    keep(key, std::nullopt, kNoTokenLife);
    co_return std::optional<Secret>();
  }
  if (const auto* bearer = find_scheme(*challenges, "bearer")) {
    auto realm = allowed_realm(param(*bearer, "realm"), base_, token_hosts_);
    if (!realm) co_return std::move(realm).error();
    realm->target = token_target(realm->target, param(*bearer, "service"), repo, credential);
    auto token = co_await fetch(*realm, credential, request_id, deadline);
    if (!token) {
      heard_.clear();
      co_return std::move(token).error();
    }
    std::optional<Secret> value(std::in_place, "Bearer " + std::string(token->text.reveal()));
    keep(key, value, token->life);
    co_return value;
  }
  if (credential && find_scheme(*challenges, "basic") != nullptr) {
    std::optional<Secret> value(std::in_place,
                                auth::basic_header(credential->user, credential->password));
    keep(key, value, kNoTokenLife);
    co_return value;
  }
  co_return unauthorized("registry_unauthorized", "no challenge that can be answered");
}

net::Task<void> TokenSource::hello(std::string request_id, Deadline deadline) {
  auto asked = co_await challenge(std::move(request_id), deadline);
  if (!asked) heard_.clear();
}

/// What GET /v2/ demands: nothing when it answers without.
net::Task<Result<TokenSource::Challenges>> TokenSource::challenge(std::string request_id,
                                                                  Deadline deadline) {
  net::HttpRequest request;
  request.url = base_;
  request.url.target = "/v2/";
  request.headers.add("X-Request-Id", request_id);
  auto response = co_await http_->send(std::move(request), deadline);
  if (!response) co_return registry_unreachable(response.error());
  const int status = (*response)->status();
  if (status == 200) {
    heard_.clear();
    co_return Challenges{};
  }
  if (status != 401) {
    auto refusal = registry_refusal(status);
    co_return refusal ? *refusal : unavailable("registry_unavailable", "odd answer to a ping");
  }
  Challenges all;
  for (const auto value : (*response)->head().headers.all("WWW-Authenticate")) {
    auto some = auth::parse_challenges(value);
    if (!some) co_return unavailable("registry_unavailable", some.error().text());
    all.insert(all.end(), some->begin(), some->end());
  }
  if (all.empty()) co_return unauthorized("registry_unauthorized", "401 without a challenge");
  auto drained = co_await (*response)->read_all(kMaxTokenAnswer);
  if (!drained) response = std::unique_ptr<net::HttpResponse>();
  heard_ = all;
  heard_until_ = clock_.steady() + kChallengeLife;
  co_return all;
}

/// No redirect is followed here: the credential was meant for this realm alone.
net::Task<Result<TokenSource::Token>> TokenSource::fetch(
    http::Url realm, std::optional<RegistryCredential> credential, std::string request_id,
    Deadline deadline) {
  net::HttpRequest request;
  request.url = realm;
  request.headers.add("X-Request-Id", request_id);
  request.headers.add("Accept", "application/json");
  if (credential) {
    request.headers.add("Authorization",
                        auth::basic_header(credential->user, credential->password));
  }
  auto response = co_await http_->send(std::move(request), deadline);
  if (!response) co_return registry_unreachable(response.error());
  const int status = (*response)->status();
  if (status == 400 || status == 401 || status == 403) {
    co_return unauthorized("registry_unauthorized",
                           "the token service answered " + std::to_string(status));
  }
  if (status == 429) co_return exhausted("registry_busy", "the token service is rate limited");
  if (status != 200) {
    co_return unavailable("registry_unavailable",
                          "the token service answered " + std::to_string(status));
  }
  auto body = co_await (*response)->read_all(kMaxTokenAnswer);
  if (!body) co_return registry_unreachable(body.error());
  const Secret text(std::move(*body));
  wire::JsonLimits limits;
  limits.max_bytes = kMaxTokenAnswer;
  auto object = wire::parse_json_object(text.reveal(), limits);
  if (!object) co_return unavailable("registry_unavailable", "the token answer is not JSON");
  auto token = wire::json_string(*object, "token");
  if (!token || token->empty()) token = wire::json_string(*object, "access_token");
  const bool printable =
      token && !token->empty() &&
      std::all_of(token->begin(), token->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable) co_return unavailable("registry_unavailable", "the answer holds no token");
  const auto said = std::chrono::seconds(wire::json_int(*object, "expires_in").value_or(60));
  Token out;
  out.text = Secret(std::move(*token));
  out.life = std::clamp(said, kMinLife, kMaxLife);
  co_return out;
}

void TokenSource::keep(const std::string& key, std::optional<Secret> authorization,
                       std::chrono::seconds life) {
  const SteadyTime now = clock_.steady();
  if (kept_.size() >= kMaxKept) {
    std::erase_if(kept_, [&](const auto& entry) { return entry.second.until <= now; });
    if (kept_.size() >= kMaxKept) kept_.clear();
  }
  const auto margin = std::max(std::chrono::seconds(10), life / 10);
  kept_.insert_or_assign(key, Kept{std::move(authorization), now, now + (life - margin)});
}

}  // namespace convoy::clients
