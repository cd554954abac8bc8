#include <utility>

#include "wiring/reread.hpp"
#include "wiring/role.hpp"

namespace convoy::wiring {

namespace {

class TrackerRole final : public Role {
 public:
  TrackerRole(std::unique_ptr<tracker::TrackerService> service, std::string file)
      : service_(std::move(service)), file_(std::move(file)) {}

  std::string name() const override { return "tracker"; }

  net::Task<Status> start() override {
    auto bound = service_->start();
    if (!bound) co_return std::move(bound).error();
    endpoint_ = std::move(bound).value();
    co_return Status();
  }

  std::optional<std::string> not_ready() const override { return service_->not_ready(); }
  Endpoints endpoints() const override { return {{"tracker", endpoint_.str()}}; }

  Status reload() override {
    auto options =
        reread(file_, config::parse_tracker, &config::TrackerFile::tracker, load_tracker);
    if (!options) return std::move(options).error();
    if (Status server = service_->replace_server_identity(options->server); !server) return server;
    return service_->replace_client_identity(options->client);
  }

  net::Task<void> stop(Duration grace) override { co_await service_->stop(grace); }

 private:
  std::unique_ptr<tracker::TrackerService> service_;
  std::string file_;
  net::Endpoint endpoint_;
};

}  // namespace

Result<RolePtr> make_tracker_role(Runtime& runtime, tracker::TrackerOptions options,
                                  config::TrackerConfig, std::string file) {
  auto service = tracker::TrackerService::make(
      runtime.io.get_executor(), runtime.pool, std::move(options), runtime.clock, runtime.random,
      *runtime.audit, runtime.metrics, runtime.log.module("tracker"));
  if (!service) return std::move(service).error();
  return RolePtr(std::make_unique<TrackerRole>(std::move(service).value(), std::move(file)));
}

}  // namespace convoy::wiring
