#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash.hpp"
#include "crypto/password.hpp"
#include "net/http_client.hpp"
#include "net/worker_pool.hpp"
#include "registry/service.hpp"
#include "security/audit/audit.hpp"
#include "security/identity/users.hpp"
#include "support/net_loop.hpp"
#include "support/pki.hpp"
#include "support/storage_dir.hpp"

namespace convoy::test {

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string body;
  std::string header(std::string_view name) const {
    return std::string(headers.get(name).value_or(""));
  }
};

struct Ask {
  std::string method = "GET";
  std::string target;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string token;     ///< "" for none
  bool chunked = false;  ///< send the body without Content-Length
};

inline std::string digest_of(std::string_view bytes) {
  return oci::Digest::sha256(crypto::sha256(as_bytes(bytes))).str();
}
inline std::string sha512_of(std::string_view bytes) {
  auto hasher = crypto::make_hasher(oci::DigestAlgorithm::sha512);
  hasher->update(as_bytes(bytes));
  const Bytes raw = hasher->finish();
  return oci::Digest::of(oci::DigestAlgorithm::sha512, raw).str();
}
inline std::string sample_text(std::size_t size, unsigned seed = 1) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<char>((i * 131 + seed * 7 + (i >> 9)) & 0xff);
  return out;
}

/// A running registry on loopback with users ann (everything in team/**), bob (pull on team/app)
/// and anonymous pull on public/**.
class RegistryWorld {
 public:
  using Change = std::function<void(registry::RegistryOptions&)>;

  explicit RegistryWorld(Change change = {}, bool tls = false)
      : keys(clock, "convoy", "registry.test"),
        server_identity(make_server_identity(clock)),
        tls_(tls),
        change_(std::move(change)) {
    start();
  }
  ~RegistryWorld() { stop(); }

  static std::shared_ptr<const security::UserDirectory> users() {
    SystemRandom random;
    static const std::string ann = crypto::hash_password(Secret("ann-secret"), random);
    static const std::string bob = crypto::hash_password(Secret("bob+secret"), random);
    auto made = security::UserDirectory::make({{"ann", ann}, {"bob", bob}},
                                              {{"team/**", {"*"}, {"ann"}},
                                               {"public/**", {"pull"}, {"anonymous"}},
                                               {"public/**", {"*"}, {"ann"}},
                                               {"**", {"pull"}, {"ann"}},
                                               {"team/app", {"pull"}, {"bob"}}});
    return std::make_shared<const security::UserDirectory>(std::move(made).value());
  }

  void start() {
    registry::RegistryOptions options;
    options.data_dir = dir / "registry";
    options.listen = {"127.0.0.1", 0};
    if (tls_) {
      options.tls =
          net::TlsIdentity{server_identity.identity.chain_pem, server_identity.identity.key_pem};
    }
    options.token_signer = keys.token_signer();
    options.metadata_signer = keys.metadata_signer();
    options.issuer = keys.issuer;
    options.service = keys.audience;
    options.users = users();
    options.allow_delete = true;
    if (change_) change_(options);
    auto made = registry::RegistryService::make(loop.executor(), *pool, std::move(options), clock,
                                                random, audit, metrics, Logger::none());
    ASSERT_TRUE(made.ok()) << made.error().text();
    service = std::move(*made);
    auto endpoint = service->start();
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().text();
    port = endpoint->port;
    client_ = make_client(std::nullopt);
  }
  void stop() {
    if (!service) return;
    client_.reset();
    loop.run(service->stop(std::chrono::seconds(1)));
    service.reset();
  }
  void restart() {
    stop();
    start();
  }

  std::shared_ptr<net::HttpClient> make_client(std::optional<net::TlsIdentity> identity) {
    net::HttpClientOptions http;
    net::TlsClientOptions options;
    options.roots_pem = server_identity.roots_pem;
    options.identity = std::move(identity);
    if (tls_) http.tls = net::TlsClientContext::make(std::move(options)).value();
    return std::make_shared<net::HttpClient>(loop.executor(), std::move(http));
  }

  /// A token as the token service would sign it; each scope as "repository:a:pull,push".
  std::string token(const std::string& subject, const std::string& scope) {
    return keys.token_issuer().issue(subject, auth::parse_scope(scope).value()).token;
  }
  std::string all(const std::string& repository) {
    return token("ann", "repository:" + repository + ":*");
  }

  Answer send(Ask ask) { return send_with(client_, std::move(ask)); }
  /// Sends all of them before the first answer is there.
  std::vector<Answer> send_at_once(const std::vector<Ask>& asks) {
    std::vector<Answer> answers;
    Tasks tasks(loop);
    for (const auto& ask : asks) {
      tasks->spawn([&, ask]() -> net::Task<void> {
        auto answer = exchange(client_, request_of(ask));
        answers.push_back(co_await std::move(answer));
      });
    }
    loop.run(all_there(answers, asks.size()));
    return answers;
  }
  Answer send_with(std::shared_ptr<net::HttpClient> client, Ask ask) {
    return loop.run(exchange(std::move(client), request_of(std::move(ask))));
  }
  net::HttpRequest request_of(Ask ask) {
    net::HttpRequest request;
    request.method = ask.method;
    request.url = http::Url{tls_, "127.0.0.1", port, ask.target};
    for (auto& [name, value] : ask.headers) request.headers.add(name, value);
    if (!ask.token.empty()) request.headers.add("Authorization", "Bearer " + ask.token);
    if (ask.chunked) {
      auto left = std::make_shared<std::string>(std::move(ask.body));
      request.source = [left](MutableByteView out) -> net::Task<Result<std::size_t>> {
        const std::size_t n = std::min(out.size(), left->size());
        std::copy_n(left->begin(), n, out.begin());
        left->erase(0, n);
        co_return n;
      };
    } else {
      request.body = std::move(ask.body);
    }
    return request;
  }

  Answer get(const std::string& target, const std::string& token,
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    return send({.method = "GET",
                 .target = target,
                 .body = {},
                 .headers = std::move(headers),
                 .token = token});
  }
  Answer head(const std::string& target, const std::string& token) {
    return send({.method = "HEAD", .target = target, .body = {}, .headers = {}, .token = token});
  }

  /// Pushes a blob in one PUT and returns its digest.
  std::string push_blob(const std::string& repository, const std::string& bytes) {
    const std::string t = all(repository);
    const auto begun = send({.method = "POST",
                             .target = "/v2/" + repository + "/blobs/uploads/",
                             .body = {},
                             .headers = {},
                             .token = t});
    EXPECT_EQ(begun.status, 202);
    const std::string digest = digest_of(bytes);
    const auto done = send({.method = "PUT",
                            .target = begun.header("Location") + "?digest=" + digest,
                            .body = bytes,
                            .headers = {},
                            .token = t});
    EXPECT_EQ(done.status, 201) << done.body;
    return digest;
  }
  static std::string image(const std::string& config, const std::string& layer,
                           const std::string& more = {}) {
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
           R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
           config +
           R"(","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" +
           layer + R"(","size":4}])" + more + "}";
  }
  Answer put_manifest(const std::string& repository, const std::string& reference,
                      const std::string& body,
                      const std::string& type = "application/vnd.oci.image.manifest.v1+json") {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!type.empty()) headers.emplace_back("Content-Type", type);
    return send({.method = "PUT",
                 .target = "/v2/" + repository + "/manifests/" + reference,
                 .body = body,
                 .headers = headers,
                 .token = all(repository)});
  }
  /// A small image; returns its manifest's digest.
  std::string push_image(const std::string& repository, const std::string& tag,
                         const std::string& more = {}) {
    const auto config = push_blob(repository, "{}");
    const auto layer = push_blob(repository, "lay" + repository.substr(0, 1));
    const auto done = put_manifest(repository, tag, image(config, layer, more));
    EXPECT_EQ(done.status, 201) << done.body;
    return done.header("Docker-Content-Digest");
  }

  SystemClock clock;
  SystemRandom random;
  TempDir dir;
  TestRegistryKeys keys;
  TestServerIdentity server_identity;
  Loop loop;
  std::unique_ptr<net::WorkerPool> pool = std::make_unique<net::WorkerPool>(2);
  security::MemoryAuditLog audit;
  std::shared_ptr<net::Metrics> metrics = std::make_shared<net::Metrics>();
  std::unique_ptr<registry::RegistryService> service;
  std::uint16_t port = 0;

 private:
  static net::Task<void> all_there(const std::vector<Answer>& answers, std::size_t count) {
    while (answers.size() < count) {
      static_cast<void>(co_await net::sleep_for(std::chrono::milliseconds(5)));
    }
  }
  static net::Task<Answer> exchange(std::shared_ptr<net::HttpClient> client,
                                    net::HttpRequest request) {
    const auto deadline = Deadline::at(std::chrono::steady_clock::now() + std::chrono::seconds(30));
    auto response = co_await client->send(std::move(request), deadline);
    if (!response) co_return Answer{0, {}, response.error().text()};
    Answer answer{(*response)->status(), (*response)->head().headers, {}};
    auto body = co_await (*response)->read_all(64 * 1024 * 1024);
    if (body)
      answer.body = std::move(*body);
    else
      answer.body = "!" + body.error().text();
    co_return std::move(answer);
  }

  bool tls_;
  Change change_;
  std::shared_ptr<net::HttpClient> client_;
};

}  // namespace convoy::test
