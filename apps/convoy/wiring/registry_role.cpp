#include <utility>

#include "wiring/role.hpp"

namespace convoy::wiring {

namespace {

class RegistryRole final : public Role {
 public:
  RegistryRole(std::unique_ptr<registry::RegistryService> service, config::RegistryConfig config,
               std::string folder)
      : service_(std::move(service)), config_(std::move(config)), folder_(std::move(folder)) {}

  std::string name() const override { return "registry"; }

  net::Task<Status> start() override {
    auto bound = service_->start();
    if (!bound) co_return std::move(bound).error();
    endpoint_ = std::move(bound).value();
    co_return Status();
  }

  std::optional<std::string> not_ready() const override { return service_->not_ready(); }

  Endpoints endpoints() const override {
    Endpoints out{{"registry", endpoint_.str()}};
    for (const config::SeedClusterConfig& cluster : config_.clusters) {
      if (auto origin = service_->origin_endpoint(cluster.name.text)) {
        out["origin." + cluster.name.text] = origin->str();
      }
    }
    return out;
  }

  Status reload() override {
    config::Faults faults;
    auto options = load_registry(config_, folder_, faults);
    if (!options) return invalid("reload_failed", config::to_text(faults, "registry"));
    auto signed_anew = service_->replace_webhook_secrets(options->webhooks);
    if (!signed_anew) return signed_anew;
    service_->replace_users(options->users);
    if (!options->tls) return {};
    return service_->replace_tls(*options->tls);
  }

  Status ops_bound(const net::Endpoint& ops) override { return service_->publish_admin(ops); }

  net::HttpHandler admin_handler() override {
    return [this](net::HttpExchange& exchange) { return service_->administrate(exchange); };
  }

  net::Task<void> stop(Duration grace) override { co_await service_->stop(grace); }

 private:
  std::unique_ptr<registry::RegistryService> service_;
  config::RegistryConfig config_;
  std::string folder_;
  net::Endpoint endpoint_;
};

}  // namespace

Result<RolePtr> make_registry_role(Runtime& runtime, registry::RegistryOptions options,
                                   config::RegistryConfig config, std::string folder) {
  auto service = registry::RegistryService::make(
      runtime.io.get_executor(), runtime.pool, std::move(options), runtime.clock, runtime.random,
      *runtime.audit, runtime.metrics, runtime.log.module("registry"));
  if (!service) return std::move(service).error();
  return RolePtr(std::make_unique<RegistryRole>(std::move(service).value(), std::move(config),
                                                std::move(folder)));
}

}  // namespace convoy::wiring
