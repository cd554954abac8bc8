#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/service.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "net/http_server.hpp"
#include "support/net_loop.hpp"
#include "wire/http/message.hpp"
#include "wire/http/range.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::test {

/// A registry as an agent is configured with, without TLS and a credential.
inline agent::AgentRegistry plain_registry(std::string host, std::string base, bool is_default) {
  return {.host = std::move(host),
          .base_url = std::move(base),
          .roots_pem = {},
          .user = {},
          .password = {},
          .token_hosts = {},
          .is_default = is_default,
          .allow_http = true};
}

/// A registry that holds blobs in one repository and misbehaves as a test wants.
class FakeRegistry {
 public:
  struct Seen {
    std::string method;
    std::string target;
    http::Headers headers;
    std::string body;
  };

  explicit FakeRegistry(Loop& loop, std::shared_ptr<net::TlsServerContext> tls = nullptr)
      : loop_(loop), tls_(tls != nullptr) {
    net::HttpServerOptions options;
    options.tls = std::move(tls);
    server_ = std::make_unique<net::HttpServer>(
        loop.executor(), std::move(options),
        [this](net::HttpExchange& http) { return serve(http); }, Logger::none(), random_);
    port_ = server_->listen({"127.0.0.1", 0}).value().port;
  }
  ~FakeRegistry() { stop(); }
  void stop() {
    if (server_) loop_.run(server_->stop(Duration::zero()));
    server_.reset();
  }

  oci::Digest add(const Bytes& bytes) {
    const auto digest = oci::Digest::sha256(crypto::sha256(bytes));
    blobs[digest.str()] = bytes;
    return digest;
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string base() const { return (tls_ ? "https://" : "http://") + host(); }
  std::uint16_t port() const { return port_; }
  std::size_t count(std::string_view method, std::string_view part) const {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Seen& s) {
      return s.method == method && s.target.find(part) != std::string::npos;
    }));
  }

  std::map<std::string, Bytes> blobs;
  std::string manifest = R"({"schemaVersion":2})";  ///< whatever is asked for
  int manifest_status = 200;
  std::string manifest_type = "application/vnd.oci.image.manifest.v1+json";
  int blob_status = 0;    ///< answers every GET of a blob, if not 0
  Duration head_delay{};  ///< before each answer to a HEAD of a blob
  Duration blob_delay{};  ///< before each answer to a GET of a blob
  /// The only Authorization value that may pull; "" lets everybody.
  std::string demanded;
  int token_status = 200;             ///< of the token service
  std::string token = "from-realm";   ///< what the token service gives to everybody
  std::size_t cut_after = SIZE_MAX;   ///< bytes of a blob's answer, before each connection is cut
  std::function<void()> before_blob;  ///< called at each GET of a blob
  std::size_t hellos = 0;             ///< GETs of /v2/, which an agent sends by itself
  std::vector<Seen> seen;             ///< all others
  std::size_t most_at_once = 0;       ///< GETs of blobs that were held by blob_delay

 private:
  net::Task<void> serve(net::HttpExchange& http) {
    Seen now{http.request().method, http.request().target, http.request().headers, {}};
    auto body = co_await http.read_all(64 * 1024 * 1024);
    if (body) now.body = std::move(*body);
    if (now.target == "/v2/") {
      ++hellos;
    } else {
      seen.push_back(now);
    }
    const std::string given(now.headers.get("Authorization").value_or(""));
    http::ResponseHead head;
    if (now.target.starts_with("/token")) {
      head.status = token_status;
      head.headers.add("Content-Type", "application/json");
      std::string text = R"({"token":")" + token + R"(","expires_in":300})";
      ignore(co_await http.respond(std::move(head), std::move(text)));
      co_return;
    }
    if (!demanded.empty() && given != demanded) {
      head.status = 401;
      head.headers.add("WWW-Authenticate", "Bearer realm=\"" + base() +
                                               "/token\",service=\"fake\","
                                               "scope=\"repository:team/app:pull\"");
      std::string text = R"({"errors":[{"code":"UNAUTHORIZED"}]})";
      ignore(co_await http.respond(std::move(head), std::move(text)));
      co_return;
    }
    if (now.target == "/v2/") {
      std::string text = "{}";
      ignore(co_await http.respond(std::move(head), std::move(text)));
      co_return;
    }
    if (now.target.find("/manifests/") != std::string::npos) {
      head.status = manifest_status;
      head.headers.add("Content-Type", manifest_type);
      head.headers.add("Docker-Content-Digest", "sha256:" + std::string(64, 'a'));
      std::string text = manifest;
      ignore(co_await http.respond(std::move(head), std::move(text)));
      co_return;
    }
    const auto slash = now.target.rfind('/');
    const auto it = blobs.find(now.target.substr(slash + 1));
    const bool read = now.method == "GET" || now.method == "HEAD";
    if (now.method == "GET") {
      most_at_once = std::max(most_at_once, ++at_once_);
      co_await net::sleep_for(blob_delay);
      --at_once_;
    }
    if (now.method == "GET" && blob_status != 0) {
      head.status = blob_status;
      std::string text;
      ignore(co_await http.respond(std::move(head), std::move(text)));
      co_return;
    }
    if (now.method == "HEAD") co_await net::sleep_for(head_delay);
    if (read && it != blobs.end()) {
      if (before_blob && now.method == "GET") before_blob();
      const Bytes bytes = it->second;
      co_await blob(http, bytes);
      co_return;
    }
    head.status = read ? 404 : 201;
    head.headers.add("Location", "/v2/team/app/blobs/uploads/1");
    std::string text;
    ignore(co_await http.respond(std::move(head), std::move(text)));
  }

  net::Task<void> blob(net::HttpExchange& http, Bytes bytes) {
    http::ResponseHead head;
    head.headers.add("Content-Type", "application/octet-stream");
    http::ByteRange range{0, bytes.size()};
    if (const auto header = http.request().headers.get("Range")) {
      auto parsed = http::parse_range(*header, bytes.size());
      if (parsed && *parsed) {
        range = **parsed;
        head.status = 206;
        head.headers.add("Content-Range", http::content_range(range, bytes.size()));
      }
    }
    ignore(co_await http.start(std::move(head), range.length));
    if (http.request().method == "HEAD") co_return;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(range.length, cut_after));
    ignore(co_await http.write(ByteView(bytes).subspan(static_cast<std::size_t>(range.offset), n)));
  }

  static void ignore(const Status& status) { static_cast<void>(status.ok()); }

  Loop& loop_;
  bool tls_;
  SystemRandom random_;
  std::unique_ptr<net::HttpServer> server_;
  std::uint16_t port_ = 0;
  std::size_t at_once_ = 0;
};

}  // namespace convoy::test
