#include "wiring/store_link.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <thread>

#include "base/clock.hpp"
#include "cli/files.hpp"
#include "net/http_client.hpp"
#include "net/metrics.hpp"
#include "net/task_group.hpp"
#include "registry/offline.hpp"
#include "security/audit/audit.hpp"
#include "wire/json.hpp"

namespace convoy::wiring {

namespace {

constexpr std::size_t kMaxBody = 64 * 1024 * 1024;
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kPoll{200};
constexpr std::chrono::milliseconds kTurn{200};
constexpr std::uint64_t kScrubStep = 4 * 1024 * 1024;

// The client lives in the coroutine's frame: no idle connection of it keeps the loop turning.
net::Task<Result<StoreReply>> send(net::Executor executor, net::HttpRequest request) {
  const SystemClock clock;
  net::HttpClient client(executor, {});
  const Deadline deadline = Deadline::in(clock, kPatience);
  auto response = co_await client.send(std::move(request), deadline);
  if (!response) co_return std::move(response).error();
  StoreReply out;
  out.status = (*response)->status();
  auto body = co_await (*response)->read_all(kMaxBody);
  if (!body) co_return std::move(body).error();
  out.body = std::move(*body);
  co_return out;
}

class RunningLink final : public StoreLink {
 public:
  RunningLink(http::Url url, std::string token) : url_(std::move(url)), token_(std::move(token)) {}

  Result<StoreReply> ask(const std::string& method, const std::string& path,
                         const std::string& body) override {
    net::HttpRequest request;
    request.method = method;
    request.url = url_;
    request.url.target = "/convoy/v1/admin/" + path;
    request.headers.set("Authorization", "Bearer " + token_);
    request.body = body;
    boost::asio::io_context loop(1);
    std::optional<Result<StoreReply>> out;
    net::TaskGroup tasks(loop.get_executor());
    tasks.spawn(
        [&]() -> net::Task<void> { out = co_await send(loop.get_executor(), std::move(request)); });
    loop.run();
    return std::move(*out);
  }

  void wait() override { std::this_thread::sleep_for(kPoll); }
  bool running() const override { return true; }

 private:
  http::Url url_;
  std::string token_;
};

/// Nobody listens to the audit of a command; what it did stands in its output.
class NoAudit final : public security::AuditLog {
 public:
  void record(security::AuditEvent) override {}
};

class StoppedLink final : public StoreLink {
 public:
  StoppedLink(std::vector<registry::Project> projects, registry::CollectRules rules)
      : projects_(std::move(projects)), rules_(rules) {}

  Status open(const std::string& data_dir) {
    auto store = registry::OfflineRegistry::open(data_dir, std::move(projects_), rules_, clock_,
                                                 audit_, metrics_);
    if (!store) return std::move(store).error();
    store_ = std::move(*store);
    return {};
  }

  Result<StoreReply> ask(const std::string& method, const std::string& path,
                         const std::string& body) override {
    auto answer = store_->desk().handle(method, path, body);
    return StoreReply{answer.status, std::move(answer.body)};
  }

  void wait() override {
    const Deadline end = Deadline::in(clock_, kTurn);
    bool more = true;
    while (more && !end.passed(clock_.steady())) {
      const bool collecting = store_->desk().collect_step();
      const bool scrubbing = store_->desk().scrub_step(kScrubStep);
      more = collecting || scrubbing;
    }
  }
  bool running() const override { return false; }

 private:
  std::vector<registry::Project> projects_;
  registry::CollectRules rules_;
  SystemClock clock_;
  NoAudit audit_;
  net::Metrics metrics_;
  std::unique_ptr<registry::OfflineRegistry> store_;
};

Result<std::unique_ptr<StoreLink>> running_link(const std::string& data_dir) {
  const std::string file = data_dir + "/admin.json";
  auto text = cli::read_file(file, 4096);
  if (!text) {
    return unavailable("admin_unreachable",
                       "a registry uses " + data_dir +
                           " but left no readable admin.json there: it "
                           "has no operations listener, or you are another user");
  }
  auto parsed = wire::parse_json_object(*text, {.max_bytes = 4096, .max_depth = 4});
  if (!parsed) return unavailable("admin_unreachable", file);
  const auto ops = wire::json_string(*parsed, "ops");
  const auto token = wire::json_string(*parsed, "token");
  if (!ops || !token) return unavailable("admin_unreachable", file);
  auto url = http::parse_url("http://" + *ops + "/");
  if (!url) return unavailable("admin_unreachable", file);
  return std::unique_ptr<StoreLink>(new RunningLink(std::move(*url), *token));
}

}  // namespace

Result<std::unique_ptr<StoreLink>> open_store_link(const std::string& data_dir,
                                                   std::vector<registry::Project> projects,
                                                   registry::CollectRules rules) {
  if (!cli::exists(data_dir + "/meta.db")) {
    return not_found("store_missing", data_dir + " holds no registry's store");
  }
  auto stopped = std::make_unique<StoppedLink>(std::move(projects), rules);
  auto opened = stopped->open(data_dir);
  if (opened) return std::unique_ptr<StoreLink>(std::move(stopped));
  if (opened.error().code() != "store_locked") return std::move(opened).error();
  return running_link(data_dir);
}

}  // namespace convoy::wiring
