#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"
#include "wire/http/message.hpp"

namespace convoy::net {

/// Where a request's body comes from: fills the span, 0 at the end.
using BodySource = std::function<Task<Result<std::size_t>>(MutableByteView)>;

struct HttpRequest {
  std::string method = "GET";
  http::Url url;
  http::Headers headers;  ///< Host, framing and connection fields are the client's own
  std::string body;       ///< sent when `source` is null
  BodySource source;      ///< streamed body
  std::optional<std::uint64_t> source_length;  ///< Content-Length of `source`; none: chunked
};

/// A response whose body is read as it comes. Destroying it before the end closes the
/// connection instead of returning it to the pool.
class HttpResponse {
 public:
  virtual ~HttpResponse() = default;
  virtual const http::ResponseHead& head() const = 0;
  int status() const { return head().status; }
  virtual std::optional<std::uint64_t> length() const = 0;  ///< Content-Length, also of HEAD
  virtual Task<Result<std::size_t>> read_body(
      MutableByteView) = 0;  ///< 0 at the end; a body cut
                             ///< short is "stream_truncated"
  virtual Task<Result<std::string>> read_all(std::size_t limit) = 0;
  virtual const std::optional<TlsInfo>& tls() const = 0;
};

struct HttpClientOptions {
  std::shared_ptr<TlsClientContext> tls;
  std::optional<std::string> bind_ip;
  std::size_t max_idle_per_host = 8;
  Duration connect_timeout = std::chrono::seconds(5);
  Duration idle_timeout = std::chrono::seconds(30);  ///< no byte from the server for this long
  std::size_t header_bytes = 32 * 1024;
};

/// HTTP/1.1 client with a pool of idle connections. Follows no redirects (the caller decides
/// where credentials may go). A request on a pooled connection that turns out to be closed is
/// repeated once on a fresh one if none of its body was streamed. One thread.
class HttpClient {
 public:
  HttpClient(Executor, HttpClientOptions);
  ~HttpClient();
  /// Ends when the head of the answer is there. Errors: those of connecting and TLS,
  /// "response_invalid", "request_timeout" when `deadline` passes before the head. What is left of
  /// it when a streamed body begins counts anew from the body's end; a body that stands still ends
  /// by the time-outs of its source and of the connection.
  /// A server that answers before it has the whole body is believed: the rest is not sent.
  Task<Result<std::unique_ptr<HttpResponse>>> send(HttpRequest, Deadline);
  Executor executor() const;
  /// Closes the idle connections, for when their identity was replaced.
  void drop_idle();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace convoy::net
