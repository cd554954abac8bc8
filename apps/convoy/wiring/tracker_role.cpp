#include <utility>

#include "wiring/role.hpp"

namespace convoy::wiring {

namespace {

class TrackerRole final : public Role {
 public:
  TrackerRole(std::unique_ptr<tracker::TrackerService> service, config::TrackerConfig config,
              std::string folder)
      : service_(std::move(service)), config_(std::move(config)), folder_(std::move(folder)) {}

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
    config::Faults faults;
    auto options = load_tracker(config_, folder_, faults);
    if (!options) return invalid("reload_failed", config::to_text(faults, "tracker"));
    if (Status server = service_->replace_server_identity(options->server); !server) return server;
    return service_->replace_client_identity(options->client);
  }

  net::Task<void> stop(Duration grace) override { co_await service_->stop(grace); }

 private:
  std::unique_ptr<tracker::TrackerService> service_;
  config::TrackerConfig config_;
  std::string folder_;
  net::Endpoint endpoint_;
};

}  // namespace

Result<RolePtr> make_tracker_role(Runtime& runtime, tracker::TrackerOptions options,
                                  config::TrackerConfig config, std::string folder) {
  auto service = tracker::TrackerService::make(
      runtime.io.get_executor(), runtime.pool, std::move(options), runtime.clock, runtime.random,
      *runtime.audit, runtime.metrics, runtime.log.module("tracker"));
  if (!service) return std::move(service).error();
  return RolePtr(std::make_unique<TrackerRole>(std::move(service).value(), std::move(config),
                                               std::move(folder)));
}

}  // namespace convoy::wiring
