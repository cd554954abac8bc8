#include "demo/http_get.hpp"

#include "demo/run_task.hpp"
#include "net/http_client.hpp"

namespace convoy::demo {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::size_t kMaxBody = 4 << 20;

net::Task<Result<std::string>> get(net::Executor executor, http::Url url, const Clock& clock) {
  net::HttpClient client(executor, {});
  net::HttpRequest request;
  request.url = std::move(url);
  auto response = co_await client.send(std::move(request), Deadline::in(clock, kPatience));
  if (!response) co_return std::move(response).error();
  auto body = co_await (*response)->read_all(kMaxBody);
  if (body && (*response)->status() != 200) co_return unavailable("http_status", *body);
  co_return body;
}

}  // namespace

Result<std::string> http_get(const net::Endpoint& at, const std::string& path, const Clock& clock) {
  http::Url url;
  url.tls = false;
  url.host = at.ip;
  url.port = at.port;
  url.target = path;
  return run_task([&](net::Executor e) { return get(e, url, clock); });
}

}  // namespace convoy::demo
