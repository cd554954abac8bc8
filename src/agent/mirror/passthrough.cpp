#include "agent/mirror/passthrough.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "agent/mirror/answers.hpp"
#include "wire/http/headers.hpp"

namespace convoy::agent {
namespace {

// A question must not stall the engine; a registry may take long over an upload's end, whose last
// byte the patience counts from.
constexpr Duration kReadPatience = std::chrono::seconds(20);
constexpr Duration kWritePatience = std::chrono::minutes(15);
constexpr std::size_t kBuffer = 64 * 1024;

constexpr std::array kHopByHop = {
    std::string_view("Connection"),
    std::string_view("Keep-Alive"),
    std::string_view("Proxy-Connection"),
    std::string_view("Proxy-Authorization"),
    std::string_view("Proxy-Authenticate"),
    std::string_view("TE"),
    std::string_view("Trailer"),
    std::string_view("Transfer-Encoding"),
    std::string_view("Upgrade"),
    std::string_view("Content-Length"),
    std::string_view("Host"),
    std::string_view("Expect"),
};

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD"; }

bool listed(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto item = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (http::iequals(item, name)) return true;
  }
  return false;
}

bool named_by_connection(const http::Headers& headers, std::string_view name) {
  const auto lists = headers.all("Connection");
  return std::any_of(lists.begin(), lists.end(),
                     [&](std::string_view list) { return listed(list, name); });
}

net::HttpRequest build_request(net::HttpExchange& exchange, const PassOn& what) {
  const http::RequestHead& in = exchange.request();
  net::HttpRequest out;
  out.method = in.method;
  out.url = what.upstream->base;
  out.url.target = what.target;
  out.headers = end_to_end(in.headers);
  out.headers.set("X-Request-Id", exchange.request_id());
  if (what.replace_authorization) {
    out.headers.remove("Authorization");
    if (what.authorization) {
      out.headers.add("Authorization", std::string(what.authorization->reveal()));
    }
  }
  const bool chunked = in.headers.has("Transfer-Encoding");
  if (chunked || exchange.body_length().value_or(0) > 0) {
    net::HttpExchange* from = &exchange;
    out.source = [from](MutableByteView bytes) { return from->read_body(bytes); };
    out.source_length = exchange.body_length();
  }
  return out;
}

net::Task<Result<std::unique_ptr<net::HttpResponse>>> send(net::HttpExchange& exchange,
                                                           const PassOn& what, const Clock& clock) {
  net::HttpRequest request = build_request(exchange, what);
  const Duration patience = is_read(request.method) ? kReadPatience : kWritePatience;
  co_return co_await what.upstream->http->send(std::move(request), Deadline::in(clock, patience));
}

/// With another authorization once the registry refuses the first.
net::Task<Result<std::unique_ptr<net::HttpResponse>>> send_authorized(net::HttpExchange& exchange,
                                                                      PassOn& what,
                                                                      const Clock& clock) {
  auto response = co_await send(exchange, what, clock);
  const int status = response ? (*response)->status() : 0;
  if (!what.reauthorize || (status != 401 && status != 403)) co_return std::move(response);
  auto asking = what.reauthorize(what.authorization);
  auto other = co_await std::move(asking);
  if (!other) co_return std::move(response);
  what.authorization = std::move(*other);
  co_return co_await send(exchange, what, clock);
}

net::Task<Status> copy_body(net::HttpExchange& exchange, net::HttpResponse& response,
                            SmallBlobs::Copy* copy) {
  std::vector<std::uint8_t> buffer(kBuffer);
  for (;;) {
    auto n = co_await response.read_body(buffer);
    if (!n) co_return std::move(n).error();
    if (*n == 0) break;
    const ByteView bytes(buffer.data(), *n);
    if (copy != nullptr) copy->add(bytes);
    auto written = co_await exchange.write(bytes);
    if (!written) co_return written;
  }
  if (copy != nullptr) copy->done();
  co_return Status{};
}

}  // namespace

http::Headers end_to_end(const http::Headers& headers) {
  http::Headers out;
  for (const auto& [name, value] : headers) {
    const bool hop = std::any_of(kHopByHop.begin(), kHopByHop.end(),
                                 [&](std::string_view h) { return http::iequals(h, name); });
    if (!hop && !named_by_connection(headers, name)) out.add(name, value);
  }
  return out;
}

net::Task<void> pass_on(net::HttpExchange& exchange, PassOn what, const Clock& clock, Logger log) {
  const bool no_body = exchange.request().method == "HEAD";
  auto response = co_await send_authorized(exchange, what, clock);
  if (!response) {
    log.warn("a request could not be passed on", {{"registry", what.upstream->host.str()},
                                                  {"reason", response.error().text()},
                                                  {"request_id", exchange.request_id()}});
    Error error = unavailable("registry_unavailable");
    auto told = co_await respond_error(exchange, std::move(error), std::move(what.extra));
    if (!told) log.debug("client gone", {{"reason", told.error().text()}});
    co_return;
  }
  http::ResponseHead head;
  head.status = (*response)->status();
  head.headers = end_to_end((*response)->head().headers);
  std::unique_ptr<SmallBlobs::Copy> copy;
  if (what.small != nullptr) copy = what.small->copy(std::move(*what.manifest), head);
  for (const auto& [name, value] : what.extra) head.headers.set(name, value);
  const bool empty = no_body || head.status == 204 || head.status == 304;
  auto done = co_await exchange.start(std::move(head), (*response)->length());
  if (done && !empty) done = co_await copy_body(exchange, **response, copy.get());
  if (!done) {
    // An answer of unknown length would look complete otherwise.
    exchange.cut();
    log.info("an answer was cut short", {{"registry", what.upstream->host.str()},
                                         {"reason", done.error().text()},
                                         {"request_id", exchange.request_id()}});
  }
}

}  // namespace convoy::agent
