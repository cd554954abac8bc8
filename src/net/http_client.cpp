#include "net/http_client.hpp"

#include <algorithm>
#include <utility>

#include "net/http_call.hpp"
#include "net/http_pool.hpp"
#include "net/steady.hpp"
#include "net/tcp.hpp"

namespace convoy::net {

using ResponsePtr = std::unique_ptr<HttpResponse>;

struct HttpClient::Impl {
  Impl(Executor e, HttpClientOptions o)
      : executor(e),
        options(std::move(o)),
        pool(std::make_shared<ClientPool>(options.max_idle_per_host)) {}

  std::string key_of(const http::Url& url) const {
    const std::string place = url.host + ' ' + std::to_string(url.port);
    if (!url.tls || !options.tls) return "http " + place;
    return "https " + place + ' ' + std::to_string(options.tls->generation());
  }

  Task<Result<ClientConnectionPtr>> connect(const http::Url& url, Deadline deadline) {
    auto left = [&] { return std::min(options.connect_timeout, deadline.time() - steady_now()); };
    Duration limit = left();
    if (limit <= Duration::zero()) co_return timed_out("request_timeout", "before connecting");
    auto plain = co_await tcp_connect(executor, url.host, url.port, limit, options.bind_ip);
    if (!plain) co_return std::move(plain).error();
    StreamPtr stream = std::move(*plain);
    if (url.tls) {
      if (!options.tls) co_return internal_error("tls_not_configured", url.host);
      limit = std::max<Duration>(left(), std::chrono::milliseconds(1));
      auto secured = co_await tls_connect(std::move(stream), options.tls, url.host, limit);
      if (!secured) co_return std::move(secured).error();
      stream = std::move(*secured);
    }
    auto connection = std::make_unique<ClientConnection>();
    connection->tls = std::make_shared<const std::optional<TlsInfo>>(stream->tls());
    connection->stream = std::move(stream);
    co_return connection;
  }

  static Task<Result<ResponsePtr>> send(std::shared_ptr<Impl> self, HttpRequest request,
                                        Deadline deadline) {
    auto head = request_text(request);
    if (!head) co_return std::move(head).error();
    const std::string key = self->key_of(request.url);
    auto connection = self->pool->take(key);
    if (connection) {
      HttpCall call(self->options, request, *head, *connection, deadline);
      auto answer = co_await call.run();
      if (answer) co_return self->respond(key, std::move(connection), std::move(*answer));
      if (!call.stale()) co_return std::move(answer).error();
    }
    auto fresh = co_await self->connect(request.url, deadline);
    if (!fresh) co_return std::move(fresh).error();
    connection = std::move(*fresh);
    HttpCall call(self->options, request, *head, *connection, deadline);
    auto answer = co_await call.run();
    if (!answer) co_return std::move(answer).error();
    co_return self->respond(key, std::move(connection), std::move(*answer));
  }

  ResponsePtr respond(const std::string& key, ClientConnectionPtr connection,
                      ParsedResponse answer) const {
    return std::make_unique<PooledResponse>(pool, key, std::move(connection), std::move(answer));
  }

  const Executor executor;
  const HttpClientOptions options;
  const std::shared_ptr<ClientPool> pool;
};

HttpClient::HttpClient(Executor executor, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(executor, std::move(options))) {}

HttpClient::~HttpClient() = default;

Task<Result<ResponsePtr>> HttpClient::send(HttpRequest request, Deadline deadline) {
  return Impl::send(impl_, std::move(request), deadline);
}

Executor HttpClient::executor() const { return impl_->executor; }

void HttpClient::drop_idle() { impl_->pool->clear(); }

}  // namespace convoy::net
