#include <utility>

#include "wiring/role.hpp"

namespace convoy::wiring {

namespace {

class AgentRole final : public Role {
 public:
  AgentRole(std::unique_ptr<agent::AgentService> service, config::AgentConfig config,
            std::string folder)
      : service_(std::move(service)), config_(std::move(config)), folder_(std::move(folder)) {}

  std::string name() const override { return "agent"; }
  net::Task<Status> start() override { co_return co_await service_->start(); }
  std::optional<std::string> not_ready() const override { return service_->not_ready(); }

  Endpoints endpoints() const override {
    Endpoints out;
    if (!config_.mirror.listen.empty()) out["mirror"] = service_->mirror_endpoint().str();
    if (!config_.proxy.listen.empty()) out["proxy"] = service_->proxy_endpoint().str();
    const net::Endpoint peers = service_->peer_endpoint();
    if (peers.port != 0) out["peers"] = peers.str();
    return out;
  }

  Status reload() override {
    if (config_.mirror.tls.cert_file.empty()) return {};
    config::Faults faults;
    auto options = load_agent(config_, folder_, faults);
    if (!options) return invalid("reload_failed", config::to_text(faults, "agent"));
    if (!options->mirror_tls) return {};
    return service_->replace_mirror_identity(*options->mirror_tls);
  }

  std::string status_json() const override { return service_->status_json(); }
  net::Task<void> stop(Duration grace) override { co_await service_->stop(grace); }

 private:
  std::unique_ptr<agent::AgentService> service_;
  config::AgentConfig config_;
  std::string folder_;
};

}  // namespace

Result<RolePtr> make_agent_role(Runtime& runtime, agent::AgentOptions options,
                                config::AgentConfig config, std::string folder) {
  auto service = agent::AgentService::make(
      runtime.io.get_executor(), runtime.pool, std::move(options), runtime.clock, runtime.random,
      *runtime.audit, runtime.metrics, runtime.log.module("agent"));
  if (!service) return std::move(service).error();
  return RolePtr(std::make_unique<AgentRole>(std::move(service).value(), std::move(config),
                                             std::move(folder)));
}

}  // namespace convoy::wiring
