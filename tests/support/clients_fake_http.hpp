#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/random.hpp"
#include "net/http_server.hpp"
#include "support/net_loop.hpp"
#include "wire/http/message.hpp"

namespace convoy::test {

/// A request as the fake saw it.
struct SeenRequest {
  std::string method;
  std::string target;
  http::Headers headers;
  std::string body;
  std::optional<net::TlsInfo> tls;

  std::string header(std::string_view name) const {
    return std::string(headers.get(name).value_or(""));
  }
};

struct FakeAnswer {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// An HTTP server of which the test decides each answer. Keeps what it saw.
class FakeHttp {
 public:
  using Answerer = std::function<FakeAnswer(const SeenRequest&)>;

  FakeHttp(Loop& loop, Answerer answerer, std::shared_ptr<net::TlsServerContext> tls = nullptr)
      : loop_(loop),
        answerer_(std::move(answerer)),
        tls_on_(tls != nullptr),
        server_(
            loop.executor(), options(std::move(tls)),
            [this](net::HttpExchange& http) { return serve(http); }, Logger::none(), random_) {
    const net::Endpoint any{"127.0.0.1", 0};
    port_ = server_.listen(any).value().port;
  }
  ~FakeHttp() { stop(); }
  void stop() {
    if (!stopped_) loop_.run(server_.stop(Duration::zero()));
    stopped_ = true;
  }

  std::uint16_t port() const { return port_; }
  http::Url url(std::string host = "127.0.0.1") const {
    http::Url out;
    out.tls = tls_on_;
    out.host = std::move(host);
    out.port = port_;
    return out;
  }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }

  std::vector<SeenRequest> seen;

  std::size_t count(std::string_view method, std::string_view prefix) const {
    std::size_t n = 0;
    for (const auto& request : seen) {
      n += request.method == method && request.target.starts_with(prefix) ? 1 : 0;
    }
    return n;
  }

 private:
  static net::HttpServerOptions options(std::shared_ptr<net::TlsServerContext> tls) {
    net::HttpServerOptions out;
    out.tls = std::move(tls);
    out.name = "fake";
    return out;
  }

  net::Task<void> serve(net::HttpExchange& http) {
    SeenRequest request;
    request.method = http.request().method;
    request.target = http.request().target;
    request.headers = http.request().headers;
    request.tls = http.tls();
    auto body = co_await http.read_all(1024 * 1024);
    if (body.ok()) request.body = *body;
    seen.push_back(request);
    FakeAnswer answer = answerer_(request);
    http::ResponseHead head;
    head.status = answer.status;
    for (auto& [name, value] : answer.headers) head.headers.add(name, value);
    auto sent = co_await http.respond(std::move(head), std::move(answer.body));
    static_cast<void>(sent.ok());
  }

  Loop& loop_;
  Answerer answerer_;
  bool tls_on_;
  SystemRandom random_;
  net::HttpServer server_;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
};

}  // namespace convoy::test
