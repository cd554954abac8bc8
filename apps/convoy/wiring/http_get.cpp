#include "wiring/http_get.hpp"

#include <boost/asio/io_context.hpp>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "net/http_client.hpp"
#include "net/task_group.hpp"

namespace convoy::wiring {

namespace {

constexpr std::size_t kMaxBody = 16 * 1024 * 1024;
constexpr std::chrono::seconds kPatience{5};

// The client lives in the coroutine's frame: no idle connection of it keeps the loop turning.
net::Task<Result<std::string>> get(net::Executor executor, http::Url url) {
  const SystemClock clock;
  net::HttpClient client(executor, {});
  net::HttpRequest request;
  request.url = std::move(url);
  const Deadline deadline = Deadline::in(clock, kPatience);
  auto response = co_await client.send(std::move(request), deadline);
  if (!response) co_return std::move(response).error();
  const int status = (*response)->status();
  auto body = co_await (*response)->read_all(kMaxBody);
  if (!body) co_return std::move(body).error();
  if (status != 200) co_return unavailable("http_status", "answered " + std::to_string(status));
  co_return std::move(body).value();
}

}  // namespace

Result<std::string> http_get(const http::Url& url) {
  boost::asio::io_context loop(1);
  std::optional<Result<std::string>> out;
  net::TaskGroup tasks(loop.get_executor());
  tasks.spawn([&]() -> net::Task<void> { out = co_await get(loop.get_executor(), url); });
  loop.run();
  return std::move(*out);
}

}  // namespace convoy::wiring
