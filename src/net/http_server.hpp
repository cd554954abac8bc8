#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "net/rate_limiter.hpp"
#include "net/stream.hpp"
#include "net/task_group.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"
#include "wire/http/message.hpp"

namespace convoy::net {

struct HttpServerLimits {
  std::size_t header_bytes = 32 * 1024;
  Duration header_timeout = std::chrono::seconds(5);  ///< first byte of a head to its last
  Duration keep_alive = std::chrono::seconds(75);     ///< idle between requests
  Duration idle_timeout = std::chrono::seconds(60);   ///< no progress inside a body, either way
  Duration handshake_timeout = std::chrono::seconds(10);
  /// Slowest body of a request, and reader of an answer, in bytes/s, judged after each `body_span`
  /// spent waiting for it. A reader who takes nothing at all is idle instead. 0: any.
  std::uint64_t min_body_rate = 0;
  Duration body_span = std::chrono::seconds(30);
  /// A further one takes the place of the one that has been without a request for longest, or is
  /// closed at once when there is none.
  std::size_t max_connections = 10'000;
  /// Of one address (IPv6: of one /64); further ones are closed at once. 0: any number.
  std::size_t connections_per_address = 0;
};

/// One request and its answer. Handlers are written against this, whatever carries it.
/// Lives as long as the handler's coroutine.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  virtual const http::RequestHead& request() const = 0;
  virtual const Endpoint& remote() const = 0;
  virtual const std::optional<TlsInfo>& tls() const = 0;
  /// The id that goes into every log line, audit line and onward request of this request: the
  /// client's X-Request-Id if it is [A-Za-z0-9-]{8,64}, else 16 new hexadecimal digits.
  virtual const std::string& request_id() const = 0;

  /// Body bytes as they come (de-chunked); 0 at the end. Sends "100 Continue" first when the
  /// client waits for it (RFC 9110 10.1.1). Errors of class timeout: "stream_idle",
  /// "body_too_slow".
  virtual Task<Result<std::size_t>> read_body(MutableByteView) = 0;
  /// The whole body; "body_too_large" (class too_large) past `limit`.
  virtual Task<Result<std::string>> read_all(std::size_t limit) = 0;
  /// Content-Length of the request, nothing when chunked or absent.
  virtual std::optional<std::uint64_t> body_length() const = 0;

  /// A complete answer. Framing fields, Date and X-Request-Id are the server's: those given for
  /// Content-Length, Transfer-Encoding and Connection (but "close") are left out. For HEAD the body
  /// is not sent, its length is. Error "header_invalid" when a field could split the message.
  virtual Task<Status> respond(http::ResponseHead, std::string body) = 0;
  /// The head of a streamed answer: `length` becomes Content-Length (none: chunked). Then
  /// write/send_file until it is reached; the server ends the message when the handler returns.
  /// The head of a small answer waits for the first of them; an empty write() sends it off.
  /// A handler that returns short of `length` makes the server close the connection, so
  /// the client sees a cut and never a complete message.
  virtual Task<Status> start(http::ResponseHead, std::optional<std::uint64_t> length) = 0;
  virtual Task<Status> write(ByteView) = 0;
  virtual Task<Status> send_file(int fd, std::uint64_t offset, std::uint64_t length) = 0;
  /// Makes the client see a cut: the connection ends without the end of the message. For a
  /// streamed answer that turned out wrong.
  virtual void cut() {}
  virtual bool started() const = 0;              ///< a head was sent
  virtual int status() const = 0;                ///< of the answer, 0 before it
  virtual std::uint64_t bytes_sent() const = 0;  ///< of the answer's body

  /// For CONNECT: sends "200 Connection Established" and hands the raw stream over; the
  /// exchange is over then. Error "connect_early" when the client did not wait for the answer.
  virtual Task<Result<StreamPtr>> take_stream() = 0;
};

using HttpHandler = std::function<Task<void>(HttpExchange&)>;

struct HttpServerOptions {
  HttpServerLimits limits;
  std::shared_ptr<TlsServerContext> tls;  ///< null: plain HTTP
  std::shared_ptr<RateLimiter> egress;    ///< response bytes; null: no limit
  http::Headers extra_headers;            ///< on every answer
  std::string name;                       ///< for logs: "registry", "mirror"
};

/// HTTP/1.1 (RFC 9112) with keep-alive over plain TCP or TLS. Malformed input is answered
/// with 400/408/414/417/431/501/505 and closed, logged once. An error that leaves a handler as
/// an exception becomes 500, or a cut when the answer has begun, and a log line with the request
/// id. A client that is refused while it sends its body gets time to read the answer. The
/// executor must be one thread's; the handler, the random source and what the options point to
/// must outlive the server.
class HttpServer {
 public:
  HttpServer(Executor, HttpServerOptions, HttpHandler, Logger, Random&);
  ~HttpServer();
  /// Starts accepting. Error "listen_failed".
  Result<Endpoint> listen(const Endpoint&);
  /// Serves one connection that came from elsewhere (a CONNECT turned into TLS) until its end.
  Task<void> serve(StreamPtr);
  /// Stops accepting, lets requests under way finish for up to `grace`, then aborts them.
  Task<void> stop(Duration grace);
  std::size_t connections() const;
  /// Since the start: closed at once for want of room, and idle ones closed to make room.
  std::uint64_t connections_refused() const;
  std::uint64_t connections_dropped() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Answers with JSON text; a 401 asks for a bearer token.
Task<Status> respond_json(HttpExchange&, int status, std::string json);

}  // namespace convoy::net
