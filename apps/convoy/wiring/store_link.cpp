#include "wiring/store_link.hpp"

#include <thread>

#include "base/clock.hpp"
#include "cli/files.hpp"
#include "net/metrics.hpp"
#include "registry/offline.hpp"
#include "security/audit/audit.hpp"

namespace convoy::wiring {

namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr std::chrono::milliseconds kTurn{200};
constexpr std::uint64_t kScrubStep = 4 * 1024 * 1024;

class RunningLink final : public StoreLink {
 public:
  explicit RunningLink(AdminLink link) : link_(std::move(link)) {}

  Result<AdminReply> ask(const std::string& method, const std::string& path,
                         const std::string& body) override {
    return link_.ask(method, path, body);
  }

  void wait() override { std::this_thread::sleep_for(kPoll); }
  bool running() const override { return true; }

 private:
  AdminLink link_;
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

  Result<AdminReply> ask(const std::string& method, const std::string& path,
                         const std::string& body) override {
    auto answer = store_->desk().handle(method, path, body);
    return AdminReply{answer.status, std::move(answer.body)};
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
  auto link = AdminLink::open(data_dir);
  if (!link) return std::move(link).error();
  return std::unique_ptr<StoreLink>(new RunningLink(std::move(*link)));
}

}  // namespace convoy::wiring
