#include <utility>

#include "wiring/reread.hpp"
#include "wiring/role.hpp"

namespace convoy::wiring {

namespace {

class AgentRole final : public Role {
 public:
  AgentRole(std::unique_ptr<agent::AgentService> service, config::AgentConfig config,
            std::string file)
      : service_(std::move(service)), config_(std::move(config)), file_(std::move(file)) {}

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
    auto options = reread(file_, config::parse_agent, &config::AgentFile::agent, load_agent);
    if (!options) return std::move(options).error();
    const bool tls = !config_.mirror.tls.cert_file.empty();  // cannot be changed while it runs
    if (tls && options->mirror_tls) {
      if (auto done = service_->replace_mirror_identity(*options->mirror_tls); !done) return done;
    }
    service_->set_rates(options->rates);
    return {};
  }

  Status ops_bound(const net::Endpoint& ops) override { return service_->publish_admin(ops); }

  std::vector<AdminRoute> admin_routes() override {
    return {{"/convoy/v1/admin/rates",
             [this](net::HttpExchange& exchange) { return service_->administrate(exchange); }}};
  }

  std::string status_json() const override { return service_->status_json(); }
  net::Task<void> stop(Duration grace) override { co_await service_->stop(grace); }

 private:
  std::unique_ptr<agent::AgentService> service_;
  config::AgentConfig config_;
  std::string file_;
};

}  // namespace

Result<RolePtr> make_agent_role(Runtime& runtime, agent::AgentOptions options,
                                config::AgentConfig config, std::string file) {
  auto service = agent::AgentService::make(
      runtime.io.get_executor(), runtime.pool, std::move(options), runtime.clock, runtime.random,
      *runtime.audit, runtime.metrics, runtime.log.module("agent"));
  if (!service) return std::move(service).error();
  return RolePtr(
      std::make_unique<AgentRole>(std::move(service).value(), std::move(config), std::move(file)));
}

}  // namespace convoy::wiring
