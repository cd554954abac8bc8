#include <algorithm>
#include <utility>

#include "config/users_file.hpp"
#include "security/identity/users.hpp"
#include "wiring/file_loader.hpp"
#include "wiring/load_options.hpp"

namespace convoy::wiring {

namespace {

std::vector<security::User> load_users(const config::RegistryConfig& c, FileLoader& files) {
  const std::string key = "registry.users_file";
  const Secret text = files.private_text(c.users_file, key);
  config::Faults faults;
  std::vector<security::User> users;
  for (config::UserLine& line : config::parse_users(text.reveal(), faults)) {
    users.push_back({std::move(line.name), std::move(line.hash)});
  }
  for (const config::Fault& f : faults) {
    files.fault(key, "line " + std::to_string(f.line) + " " + f.problem, f.hint);
  }
  return users;
}

std::vector<security::UserGrant> grants_of(const config::RegistryConfig& c) {
  std::vector<security::UserGrant> grants;
  for (const config::GrantConfig& grant : c.grants) {
    for (const std::string& pattern : grant.repositories) {
      grants.push_back({pattern,
                        {grant.actions.begin(), grant.actions.end()},
                        {grant.users.begin(), grant.users.end()}});
    }
  }
  return grants;
}

std::shared_ptr<const security::UserDirectory> directory(const config::RegistryConfig& c,
                                                         FileLoader& files) {
  auto made = security::UserDirectory::make(load_users(c, files), grants_of(c));
  if (made) return std::make_shared<const security::UserDirectory>(std::move(made).value());
  const bool grant = made.error().code() == "grant_invalid";
  files.fault(grant ? "registry.grant" : "registry.users_file",
              "is refused: " + made.error().detail(),
              grant ? "" : "Make each line with convoy user hash --name NAME.");
  return nullptr;
}

registry::ClusterOptions cluster_of(const config::SeedClusterConfig& c, const std::string& key,
                                    FileLoader& files) {
  registry::ClusterOptions out;
  out.name = c.name.text;
  out.trust_domain = c.trust_domain.text;
  out.roots_pem = files.certificates(c.roots_file, key + ".roots_file");
  out.registry_host = c.registry_host.text;
  out.tracker = c.tracker_url.url;
  out.tracker_roots_pem = files.tls_roots(c.tracker_roots_file, key + ".tracker_roots_file");
  out.join_token = files.secret_if_there(c.join_token_file, key + ".join_token_file");
  out.node_name = c.node_name.text;
  out.state_dir = files.path(c.state_dir);
  out.peers = endpoint(c.peer_listen);
  out.advertised_port = static_cast<std::uint16_t>(c.advertised_port);
  if (!c.bind_ip.empty()) out.bind_ip = c.bind_ip;
  out.zone = c.zone;
  return out;
}

registry::WebhookOptions webhook_of(const config::WebhookConfig& c, const std::string& key,
                                    FileLoader& files) {
  const auto has = [&](std::string_view event) {
    return std::find(c.events.begin(), c.events.end(), event) != c.events.end();
  };
  registry::WebhookOptions out;
  out.name = c.name.text;
  if (c.url.url) out.url = *c.url.url;
  out.push = has("push");
  out.pull = has("pull");
  out.remove = has("delete");
  out.repositories = c.repositories;
  out.secret = files.secret(c.secret_file, key + ".secret_file");
  const std::size_t length = out.secret.reveal().size();
  if (length > 0 && length < registry::WebhookOptions::kLeastSecret) {
    files.fault(key + ".secret_file", "holds a secret of fewer than 16 characters",
                "openssl rand -hex 32 makes a good one.");
  }
  out.roots_pem = files.tls_roots(c.roots_file, key + ".roots_file");
  out.timeout = c.timeout;
  out.queue = c.queue;
  out.retry_for = c.retry_for;
  return out;
}

oci::MayMiss may_miss(std::string_view text) {
  if (text == "any") return oci::MayMiss::anything;
  return text == "children" ? oci::MayMiss::children : oci::MayMiss::nothing;
}

registry::RegistryLimits limits_of(const config::RegistryConfig::Limits& c) {
  registry::RegistryLimits out;
  out.manifest_bytes = c.manifest_size.bytes;
  out.header_bytes = c.header_size.bytes;
  out.blob_bytes = c.blob_size.bytes;
  out.uploads_per_user = c.uploads_per_user;
  out.header_timeout = c.header_timeout;
  out.upload_idle = c.upload_idle;
  out.upload_min_rate = c.upload_min_rate.bytes_per_second;
  out.upload_min_rate_span = c.upload_min_rate_span;
  out.upload_lifetime = c.upload_lifetime;
  out.upload_abandoned = c.upload_abandoned;
  out.max_connections = c.max_connections;
  out.connections_per_address = c.connections_per_address;
  out.address_requests = {c.requests_per_address, c.requests_per_address_burst};
  out.user_requests = {c.requests_per_user, c.requests_per_user_burst};
  return out;
}

}  // namespace

registry::UpkeepOptions upkeep_of(const config::RegistryConfig& c) {
  registry::UpkeepOptions out;
  out.rules.lease = c.gc.lease;
  out.rules.untagged_age = c.gc.untagged_age;
  out.gc_interval = c.gc.interval;
  out.gc_pause = c.gc.pause;
  out.scrub_interval = c.scrub.interval;
  out.scrub_rate = c.scrub.rate.bytes_per_second;
  return out;
}

std::vector<registry::Project> projects_of(const config::RegistryConfig& c) {
  std::vector<registry::Project> out;
  for (const config::ProjectConfig& p : c.projects) {
    registry::Project project{p.name, p.quota.bytes, p.immutable_tags, {}};
    for (const config::RetentionConfig& r : p.retention) {
      registry::RetentionRule rule{r.repositories, r.tags, r.keep_newest, {}, {}};
      if (r.keep_pushed.count() > 0) rule.keep_pushed = r.keep_pushed;
      if (r.keep_pulled.count() > 0) rule.keep_pulled = r.keep_pulled;
      project.retention.push_back(std::move(rule));
    }
    out.push_back(std::move(project));
  }
  return out;
}

std::optional<registry::RegistryOptions> load_registry(const config::RegistryConfig& c,
                                                       const std::string& folder,
                                                       config::Faults& faults) {
  const std::size_t before = faults.size();
  FileLoader files(folder, faults);
  registry::RegistryOptions out{
      .data_dir = files.path(c.data_dir),
      .listen = endpoint(c.listen),
      .tls = std::nullopt,
      .kernel_tls = c.kernel_tls,
      .public_url = std::nullopt,
      .token_signer = files.signer(c.tokens, "registry.tokens"),
      .token_roots = files.roots(c.tokens.roots_file, "registry.tokens.roots_file"),
      .metadata_signer = files.signer(c.metadata, "registry.metadata"),
      .issuer = c.tokens.issuer,
      .service = c.tokens.service,
      .token_lifetime = seconds_of(c.tokens.lifetime),
      .users = directory(c, files),
      .clusters = {},
      .egress_rate = c.egress_limit.bytes_per_second,
      .allow_delete = c.allow_delete,
      .may_miss = may_miss(c.missing_content),
      .limits = limits_of(c.limits),
      .load = {c.load.latency, c.load.memory.bytes},
      .upkeep = upkeep_of(c),
      .projects = projects_of(c),
      .webhooks = {}};
  if (!c.tls.cert_file.empty()) out.tls = files.identity(c.tls, "registry.tls");
  if (!c.public_url.empty())
    out.public_url = "http" + std::string(c.public_url.url->tls ? "s" : "") + "://" +
                     c.public_url.url->authority();
  for (std::size_t i = 0; i < c.clusters.size(); ++i) {
    const std::string key = "registry.cluster[" + std::to_string(i + 1) + "]";
    out.clusters.push_back(cluster_of(c.clusters[i], key, files));
  }
  for (std::size_t i = 0; i < c.webhooks.size(); ++i) {
    const std::string key = "registry.webhook[" + std::to_string(i + 1) + "]";
    out.webhooks.push_back(webhook_of(c.webhooks[i], key, files));
  }
  if (faults.size() != before) return std::nullopt;
  return out;
}

}  // namespace convoy::wiring
