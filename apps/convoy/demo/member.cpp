#include "demo/member.hpp"

#include "clients/tracker/http_tracker_client.hpp"
#include "crypto/certificate.hpp"
#include "net/http_client.hpp"
#include "security/ca/join_token.hpp"

namespace convoy::demo {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

Result<std::shared_ptr<net::HttpClient>> http_client(net::Executor executor, const Site& site,
                                                     std::optional<net::TlsIdentity> identity) {
  net::TlsClientOptions tls;
  tls.roots_pem = site.roots_pem;
  tls.identity = std::move(identity);
  auto context = net::TlsClientContext::make(std::move(tls));
  if (!context) return std::move(context).error();
  net::HttpClientOptions options;
  options.tls = *context;
  return std::make_shared<net::HttpClient>(executor, std::move(options));
}

}  // namespace

net::Task<Result<Member>> enrol(net::Executor executor, Site site, std::string name,
                                const Clock& clock, Random& random) {
  security::FileJoinTokenStore store(site.join_token_file);
  security::JoinTokenSpec spec;
  spec.name = name;
  auto token = security::create_join_token(store, spec, clock.wall(), random);
  if (!token) co_return std::move(token).error();
  auto http = http_client(executor, site, std::nullopt);
  if (!http) co_return std::move(http).error();
  const auto key = crypto::PrivateKey::generate();
  auto tracker = clients::make_http_tracker_client(*http, site.tracker);
  clients::EnrolRequest request;
  request.token = *token;
  request.name = name;
  request.csr_pem = crypto::make_csr(key, name);
  auto enrolled = co_await tracker->enrol(std::move(request), Deadline::in(clock, kPatience));
  if (!enrolled) co_return std::move(enrolled).error();
  Member member;
  member.identity.chain_pem = enrolled->chain_pem;
  member.identity.key_pem = key.to_pem();
  member.root_pem = enrolled->root_pem;
  co_return member;
}

net::Task<Result<Secret>> log_in(net::Executor executor, Site site, oci::RepoName repository,
                                 clients::RegistryCredential user, const Clock& clock) {
  auto http = http_client(executor, site, std::nullopt);
  if (!http) co_return std::move(http).error();
  auto registry = clients::make_registry_client(*http, site.registry, {}, clock);
  auto value = co_await registry->authorize_pull(std::move(repository), std::move(user), "",
                                                 Deadline::in(clock, kPatience));
  if (!value) co_return std::move(value).error();
  if (!*value) co_return unauthorized("no_token", "the registry asked for none");
  co_return std::move(**value);
}

net::Task<Result<clients::TicketReply>> ask_ticket(net::Executor executor, Site site, Member member,
                                                   oci::RepoName repository, oci::Digest digest,
                                                   Secret authorization, std::uint16_t port,
                                                   const Clock& clock) {
  auto http = http_client(executor, site, member.identity);
  if (!http) co_return std::move(http).error();
  auto tracker = clients::make_http_tracker_client(*http, site.tracker);
  clients::TicketRequest request{site.registry_host,       std::move(repository), digest,
                                 std::move(authorization), {"leech", "seed"},     port,
                                 "demo-intruder"};
  co_return co_await tracker->ticket(std::move(request), Deadline::in(clock, kPatience));
}

}  // namespace convoy::demo
