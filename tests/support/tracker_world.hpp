#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/tracker/http_tracker_client.hpp"
#include "crypto/hash.hpp"
#include "security/ca/join_token.hpp"
#include "security/identity/spiffe.hpp"
#include "support/clients_fake_http.hpp"
#include "support/pki.hpp"
#include "support/storage_dir.hpp"
#include "tracker/service.hpp"

namespace convoy::test {

/// The machine's clock, moved forward on demand: TLS goes on by the real one.
class ShiftedClock final : public Clock {
 public:
  UnixTime wall() const override { return real_.wall() + std::chrono::seconds(shift_); }
  SteadyTime steady() const override { return real_.steady() + std::chrono::seconds(shift_); }
  void advance(std::chrono::seconds by) { shift_ += by.count(); }

 private:
  SystemClock real_;
  std::atomic<std::int64_t> shift_{0};
};

/// A registry as far as a tracker sees it: HEAD of blobs by credential, metadata for trackers.
class FakeRegistry {
 public:
  FakeRegistry(Loop& loop, TestRegistryKeys& keys, const TestServerIdentity& server,
               const std::string& cluster_root)
      : keys_(keys),
        http(
            loop, [this](const SeenRequest& request) { return answer(request); },
            context(server, cluster_root)) {}

  /// repository -> blobs
  std::map<std::string, std::set<std::string>> blobs;
  /// Authorization values that HEAD takes for all repositories ("" is anonymous).
  std::set<std::string> welcome;
  int head_status = 401;  ///< for credentials that are not welcome
  std::string spoil;      ///< sent in place of a statement unless empty

 private:
  TestRegistryKeys& keys_;

 public:
  FakeHttp http;

 private:
  static std::shared_ptr<net::TlsServerContext> context(const TestServerIdentity& server,
                                                        const std::string& cluster_root) {
    net::TlsServerOptions options;
    options.identity = {server.identity.chain_pem, server.identity.key_pem};
    options.client_certificate = net::PeerCertificate::optional;
    options.client_roots_pem = cluster_root;
    return net::TlsServerContext::make(std::move(options)).value();
  }

  static bool is_tracker(const SeenRequest& request) {
    if (!request.tls || request.tls->peer_chain.empty()) return false;
    const auto leaf = crypto::Certificate::from_der(request.tls->peer_chain.front());
    const auto id = security::spiffe_of(*leaf);
    return id.ok() && id->kind == security::NodeKind::tracker;
  }

  bool holds(const std::string& repository, const std::string& digest) const {
    const auto it = blobs.find(repository);
    return it != blobs.end() && it->second.contains(digest);
  }

  FakeAnswer answer(const SeenRequest& request) {
    const FakeAnswer unknown{404, R"({"errors":[{"code":"BLOB_UNKNOWN"}]})", {}};
    constexpr std::string_view kMetadata = "/convoy/v1/metadata/";
    if (request.target.starts_with(kMetadata)) {
      if (!is_tracker(request)) return {404, "", {}};
      const std::string rest = request.target.substr(kMetadata.size());
      const auto slash = rest.rfind('/');
      const std::string digest = rest.substr(slash + 1);
      if (!holds(rest.substr(0, slash), digest)) return unknown;
      const std::string text = spoil.empty() ? keys_.metadata().sign(meta_of(digest)) : spoil;
      return {200, "{\"metadata\":\"" + text + "\"}", {}};
    }
    const std::string path = request.target.substr(std::string_view("/v2/").size());
    const auto at = path.find("/blobs/");
    if (!welcome.contains(request.header("Authorization"))) return {head_status, "", {}};
    if (at == std::string::npos || !holds(path.substr(0, at), path.substr(at + 7))) return unknown;
    return {200, "x", {}};
  }

 public:
  static bt::BlobMeta meta_of(const std::string& digest) {
    const std::uint64_t size = 1'000'000;
    return {oci::Digest::parse(digest).value(), size, bt::choose_piece_length(size),
            crypto::sha256(as_bytes(digest))};
  }
};

/// A tracker on loopback with its cluster, its registry and callers over real TLS.
class TrackerWorld {
 public:
  static constexpr std::string_view kHost = "registry.test:5000";

  TrackerWorld()
      : cluster(clock),
        keys(clock, "issuer.test", "audience.test"),
        server(make_server_identity(clock)),
        registry(loop, keys, server, cluster.pki.root.chain_pem),
        pool(1),
        metrics(std::make_shared<net::Metrics>()),
        tokens(dir / "join.json") {}
  ~TrackerWorld() {
    clients_.clear();
    if (service) loop.run(service->stop(Duration::zero()));
  }

  tracker::TrackerOptions options() {
    tracker::TrackerOptions out;
    out.listen = {"127.0.0.1", 0};
    out.server = {server.identity.chain_pem, server.identity.key_pem};
    out.cluster = cluster.authority.cluster();
    out.trust_domain = cluster.authority.trust_domain();
    out.root_pem = cluster.pki.root.chain_pem;
    out.issuing_cert_pem = cluster.pki.issuing.chain_pem;
    out.issuing_key_pem = cluster.pki.issuing.key_pem;
    out.ticket_chain_pem = cluster.pki.ticket_signer.chain_pem;
    out.ticket_key_pem = cluster.pki.ticket_signer.key_pem;
    out.client = {cluster.pki.tracker.chain_pem, cluster.pki.tracker.key_pem};
    out.join_token_file = dir / "join.json";
    tracker::TrackerRegistry one;
    one.host = std::string(kHost);
    one.base = registry.http.url();
    one.tls_roots_pem = server.roots_pem;
    one.token_roots_pem = keys.pki.token_ca.chain_pem;
    one.issuer = keys.issuer;
    one.audience = keys.audience;
    one.origin_name = "origin";
    out.registries.push_back(std::move(one));
    return out;
  }

  Result<std::unique_ptr<tracker::TrackerService>> make(tracker::TrackerOptions with) {
    return tracker::TrackerService::make(loop.executor(), pool, std::move(with), clock, random,
                                         audit, metrics, Logger::none());
  }
  void start() { start(options()); }
  void start(tracker::TrackerOptions with) {
    service = make(std::move(with)).value();
    port = service->start().value().port;
  }

  /// An HTTP client that shows `identity` and leaves from `ip`.
  std::shared_ptr<net::HttpClient> http(std::optional<security::PemIdentity> identity,
                                        std::string ip = "127.0.0.1") {
    net::TlsClientOptions tls;
    tls.roots_pem = server.roots_pem;
    if (identity) tls.identity = net::TlsIdentity{identity->chain_pem, identity->key_pem};
    net::HttpClientOptions with;
    with.tls = net::TlsClientContext::make(std::move(tls)).value();
    with.bind_ip = std::move(ip);
    return std::make_shared<net::HttpClient>(loop.executor(), std::move(with));
  }
  clients::TrackerClient& as(const TestNode& node, std::string ip = "127.0.0.1") {
    clients_.push_back(clients::make_http_tracker_client(http(node.pem, std::move(ip)), url()));
    return *clients_.back();
  }
  clients::TrackerClient& stranger(std::string ip = "127.0.0.1") {
    clients_.push_back(clients::make_http_tracker_client(http({}, std::move(ip)), url()));
    return *clients_.back();
  }
  http::Url url() const {
    http::Url out;
    out.host = "127.0.0.1";
    out.port = port;
    return out;
  }

  struct Answer {
    int status = 0;  ///< 0: no answer came, `body` says why
    std::string body;
  };
  Answer raw(std::shared_ptr<net::HttpClient> client, std::string method, std::string target,
             std::string body = {}) {
    return loop.run(send(std::move(client), std::move(method), std::move(target), std::move(body)));
  }
  Deadline soon() const { return Deadline::at(clock.steady() + std::chrono::seconds(20)); }

  /// A user's Authorization, from the registry's token service.
  Secret token_for(const std::string& repository, const std::string& user = "alice",
                   const std::string& action = "pull") {
    const std::vector<auth::Access> access{{"repository", repository, {action}}};
    return Secret("Bearer " + keys.token_issuer().issue(user, access).token);
  }
  std::string digest(char c = 'a') const { return "sha256:" + std::string(64, c); }
  clients::TicketRequest wish(std::string repository = "team/app", std::uint16_t at = 6881) {
    clients::TicketRequest out{std::string(kHost),
                               oci::RepoName::parse(repository).value(),
                               oci::Digest::parse(digest()).value(),
                               token_for(repository),
                               {"leech", "seed"},
                               at,
                               "rid-00000001"};
    return out;
  }
  Result<clients::TicketReply> ticket(clients::TrackerClient& client,
                                      clients::TicketRequest request) {
    return loop.run(client.ticket(std::move(request), soon()));
  }
  bt::InfoHash info_hash(const std::string& digest_text) const {
    return crypto::sha256(bt::encode_info(FakeRegistry::meta_of(digest_text), cluster.root.pem()));
  }

  ShiftedClock clock;
  Loop loop;
  TestCluster cluster;
  TestRegistryKeys keys;
  TestServerIdentity server;
  FakeRegistry registry;
  net::WorkerPool pool;
  SystemRandom random;
  security::MemoryAuditLog audit;
  std::shared_ptr<net::Metrics> metrics;
  TempDir dir;
  security::FileJoinTokenStore tokens;
  std::unique_ptr<tracker::TrackerService> service;
  std::uint16_t port = 0;

 private:
  net::Task<Answer> send(std::shared_ptr<net::HttpClient> client, std::string method,
                         std::string target, std::string body) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.url = url();
    request.url.target = std::move(target);
    request.body = std::move(body);
    auto response = co_await client->send(std::move(request), soon());
    if (!response) co_return Answer{0, response.error().text()};
    auto text = co_await (*response)->read_all(1024 * 1024);
    if (!text) co_return Answer{0, text.error().text()};
    co_return Answer{(*response)->status(), std::move(*text)};
  }

  std::vector<std::unique_ptr<clients::TrackerClient>> clients_;
};

}  // namespace convoy::test
