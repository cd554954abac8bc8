#include "wiring/admin_link.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include "base/clock.hpp"
#include "cli/files.hpp"
#include "net/http_client.hpp"
#include "net/task_group.hpp"
#include "wire/json.hpp"

namespace convoy::wiring {

namespace {

constexpr std::size_t kMaxBody = 64 * 1024 * 1024;
constexpr std::size_t kMaxFile = 4096;
constexpr std::chrono::seconds kPatience{60};

// The client lives in the coroutine's frame: no idle connection of it keeps the loop turning.
net::Task<Result<AdminReply>> send(net::Executor executor, net::HttpRequest request) {
  const SystemClock clock;
  net::HttpClient client(executor, {});
  const Deadline deadline = Deadline::in(clock, kPatience);
  auto response = co_await client.send(std::move(request), deadline);
  if (!response) co_return std::move(response).error();
  AdminReply out;
  out.status = (*response)->status();
  auto body = co_await (*response)->read_all(kMaxBody);
  if (!body) co_return std::move(body).error();
  out.body = std::move(*body);
  co_return out;
}

}  // namespace

Result<AdminLink> AdminLink::open(const std::string& data_dir) {
  const std::string file = data_dir + "/admin.json";
  auto text = cli::read_file(file, kMaxFile);
  if (!text) {
    return unavailable("admin_unreachable",
                       "no readable admin.json in " + data_dir +
                           ": nothing runs there, it has no operations listener, or you are "
                           "another user");
  }
  auto parsed = wire::parse_json_object(*text, {.max_bytes = kMaxFile, .max_depth = 4});
  if (!parsed) return unavailable("admin_unreachable", file);
  const auto ops = wire::json_string(*parsed, "ops");
  const auto token = wire::json_string(*parsed, "token");
  if (!ops || !token) return unavailable("admin_unreachable", file);
  auto url = http::parse_url("http://" + *ops + "/");
  if (!url) return unavailable("admin_unreachable", file);
  return AdminLink(std::move(*url), Secret(*token));
}

Result<AdminReply> AdminLink::ask(const std::string& method, const std::string& path,
                                  const std::string& body) const {
  net::HttpRequest request;
  request.method = method;
  request.url = url_;
  request.url.target = "/convoy/v1/admin/" + path;
  request.headers.set("Authorization", "Bearer " + std::string(token_.reveal()));
  request.body = body;
  boost::asio::io_context loop(1);
  std::optional<Result<AdminReply>> out;
  net::TaskGroup tasks(loop.get_executor());
  tasks.spawn(
      [&]() -> net::Task<void> { out = co_await send(loop.get_executor(), std::move(request)); });
  loop.run();
  return std::move(*out);
}

}  // namespace convoy::wiring
