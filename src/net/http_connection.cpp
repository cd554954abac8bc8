#include "net/http_connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/http_text.hpp"
#include "net/socket.hpp"
#include "net/steady.hpp"

namespace convoy::net {
namespace {

constexpr std::size_t kInputStep = 4 * 1024;
/// How long a client that was answered before it had sent everything may go on, so that it finds
/// the answer and not a reset.
constexpr Duration kLinger = std::chrono::seconds(5);

/// Empty lines before a request line are to be ignored (RFC 9112 2.2).
void skip_empty_lines(InputBuffer& input) {
  while (input.size() >= 2 && as_text(input.view()).starts_with("\r\n")) input.consume(2);
}

/// No method begins with a control character or a byte beyond ASCII (RFC 9110 5.6.2).
bool not_http(ByteView start) {
  return !start.empty() && start[0] != '\r' && (start[0] <= ' ' || start[0] > '~');
}

Error head_too_large(const InputBuffer& input) {
  const bool in_first_line = as_text(input.view()).find("\r\n") == std::string_view::npos;
  return too_large(in_first_line ? "uri_too_long" : "head_too_large");
}

}  // namespace

HttpConnection::HttpConnection(HttpServerShared& shared, StreamPtr stream,
                               ConnectionBook::Place* place)
    : shared_(shared), stream_(std::move(stream)), place_(place), tls_(stream_->tls()) {}

Task<void> HttpConnection::run() {
  while (!shared_.draining) {
    give_way();
    auto request = co_await read_head();
    if (!request) {
      co_await refuse(std::move(request).error());
      co_return;
    }
    if (!request->has_value()) break;
    busy_ = true;
    if (place_ != nullptr) place_->works();
    ParsedRequest parsed = std::move(**request);
    const bool again = co_await serve(std::move(parsed));
    busy_ = false;
    if (!again) co_return;
    input_.shrink(kInputStep);
    // Requests that are there already wait their turn like those of others.
    if (!input_.empty()) co_await let_others();
  }
  co_await stream_->close();
}

Task<void> HttpConnection::let_others() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::post(asio::use_awaitable);
}

void HttpConnection::give_way() {
  if (place_ != nullptr) place_->waits([this] { abort(); });
}

Task<Result<std::optional<ParsedRequest>>> HttpConnection::read_head() {
  const HttpServerLimits& limits = shared_.options.limits;
  std::optional<SteadyTime> until;
  std::size_t searched = 0;
  for (;;) {
    if (searched == 0) skip_empty_lines(input_);
    const auto end = find_head_end(input_.view(), searched);
    if (end.value_or(input_.size()) > limits.header_bytes) co_return head_too_large(input_);
    if (end) {
      auto parsed = parse_request_head(input_.view().first(*end));
      if (!parsed) co_return std::move(parsed).error();
      input_.consume(*end);
      std::optional<ParsedRequest> request = std::move(*parsed);
      co_return request;
    }
    // A client that speaks TLS to a plain port must hear so at once, not at the time-out.
    if (searched == 0 && not_http(input_.view())) co_return invalid("request_invalid", "not HTTP");
    searched = input_.size();
    const SteadyTime now = steady_now();
    if (searched > 0 && !until) {
      until = steady_after(limits.header_timeout);
      busy_ = true;
    }
    if (until && now >= *until) co_return timed_out("request_timeout");
    stream_->set_idle_timeout(until ? *until - now : limits.keep_alive);
    const MutableByteView room = input_.prepare(kInputStep);
    auto got = co_await stream_->read_some(room);
    if (!got && until && got.error().kind() == ErrorClass::timeout) {
      co_return timed_out("request_timeout");
    }
    if (!got || *got == 0) co_return std::optional<ParsedRequest>();
    input_.commit(*got);
  }
}

Task<bool> HttpConnection::serve(ParsedRequest request) {
  stream_->set_idle_timeout(shared_.options.limits.idle_timeout);
  Exchange exchange(shared_, stream_, tls_, input_, std::move(request));
  co_await call_handler(exchange);
  co_await exchange.finish();
  if (!stream_) co_return false;
  if (exchange.reusable()) co_return true;
  if (!exchange.complete()) {
    stream_->abort();
  } else if (exchange.body_unread()) {
    co_await linger();
  }
  co_await stream_->close();
  co_return false;
}

Task<void> HttpConnection::call_handler(Exchange& exchange) {
  std::string failure;
  try {
    Task<void> handling = shared_.handler(exchange);
    co_await std::move(handling);
    co_return;
  } catch (const std::exception& e) {
    failure = e.what();
  } catch (...) {
    failure = "unknown exception";
  }
  shared_.log.error("handler failed", {{"request_id", exchange.request_id()},
                                       {"method", exchange.request().method},
                                       {"error", failure}});
  if (exchange.started()) exchange.cut();
}

Task<void> HttpConnection::refuse(Error error) {
  const int status = status_of(error);
  shared_.log.info("request refused", {{"status", status},
                                       {"reason", error.code()},
                                       {"detail", error.detail()},
                                       {"remote", stream_->remote().str()}});
  const std::string body = std::string(http::reason(status)) + "\n";
  std::string text;
  append_status_line(text, status);
  append_headers(text, shared_.options.extra_headers);
  append_header(text, "Date", shared_.date());
  append_header(text, "Content-Type", "text/plain");
  append_header(text, "Content-Length", std::to_string(body.size()));
  append_header(text, "Connection", "close");
  text += "\r\n" + body;
  stream_->set_idle_timeout(kLinger);
  auto written = co_await stream_->write(as_bytes(text));
  if (written) co_await linger();
  co_await stream_->close();
}

Task<void> HttpConnection::linger() {
  const SteadyTime until = steady_after(kLinger);
  give_way();
  auto said = co_await stream_->shutdown_write();
  if (!said) co_return;
  Bytes sink(kInputStep);  // small: thousands may be refused at once
  for (SteadyTime now = steady_now(); now < until; now = steady_now()) {
    stream_->set_idle_timeout(until - now);
    auto got = co_await stream_->read_some(sink);
    if (!got || *got == 0) break;
  }
}

}  // namespace convoy::net
