#include <utility>

#include "wiring/reread.hpp"
#include "wiring/role.hpp"

namespace convoy::wiring {

namespace {

class RegistryRole final : public Role {
 public:
  RegistryRole(std::unique_ptr<registry::RegistryService> service, config::RegistryConfig config,
               std::string file)
      : service_(std::move(service)), config_(std::move(config)), file_(std::move(file)) {}

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
    auto options =
        reread(file_, config::parse_registry, &config::RegistryFile::registry, load_registry);
    if (!options) return std::move(options).error();
    auto signed_anew = service_->replace_webhook_secrets(options->webhooks);
    if (!signed_anew) return signed_anew;
    service_->replace_users(options->users);
    service_->replace_egress_rate(options->egress_rate);
    if (!options->tls) return {};
    return service_->replace_tls(*options->tls);
  }

  Status ops_bound(const net::Endpoint& ops) override { return service_->publish_admin(ops); }

  std::vector<AdminRoute> admin_routes() override {
    return {{"/convoy/v1/admin/",
             [this](net::HttpExchange& exchange) { return service_->administrate(exchange); }}};
  }

  net::Task<void> stop(Duration grace) override { co_await service_->stop(grace); }

 private:
  std::unique_ptr<registry::RegistryService> service_;
  config::RegistryConfig config_;
  std::string file_;
  net::Endpoint endpoint_;
};

}  // namespace

Result<RolePtr> make_registry_role(Runtime& runtime, registry::RegistryOptions options,
                                   config::RegistryConfig config, std::string file) {
  auto service = registry::RegistryService::make(
      runtime.io.get_executor(), runtime.pool, std::move(options), runtime.clock, runtime.random,
      *runtime.audit, runtime.metrics, runtime.log.module("registry"));
  if (!service) return std::move(service).error();
  return RolePtr(std::make_unique<RegistryRole>(std::move(service).value(), std::move(config),
                                                std::move(file)));
}

}  // namespace convoy::wiring
