#include "config/tracker_config.hpp"

#include <set>

namespace convoy::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TableOf<TrackerConfig::Authority> ca_table() {
  using Ca = TrackerConfig::Authority;
  TableOf<Ca> t("ca", "The cluster's certificate authority; `convoy pki init` makes it.");
  t.key("root_file", &Ca::root_file, "The cluster's root certificate, PEM. Its key stays offline.")
      .required();
  t.key("cert_file", &Ca::cert_file, "The CA below it that issues node certificates, PEM.")
      .required();
  t.key("key_file", &Ca::key_file, "The issuing CA's private key; not readable by everyone.")
      .required();
  return t;
}

TableOf<TrackerConfig::Limits> limits_table() {
  using L = TrackerConfig::Limits;
  TableOf<L> t("limits", "Bounds of what is kept in memory and done at once.");
  t.key("max_swarms", &L::max_swarms, "Blobs being exchanged.").between(100, 10'000'000);
  t.key("max_peers_per_swarm", &L::max_peers_per_swarm, "Nodes in one swarm.")
      .between(10, 1'000'000);
  t.key("max_grants", &L::max_grants, "Tickets that have not run out.").between(1'000, 100'000'000);
  t.key("max_connections", &L::max_connections,
        "A further connection takes the place of the one that has been without a request for "
        "longest; when all have one it is closed at once.")
      .between(10, 1'000'000);
  t.key("connections_per_address", &L::connections_per_address,
        "At once from one IPv4 address or IPv6 /64; further ones are closed. All nodes behind one "
        "NAT have one address. 0: any number.")
      .between(0, 1'000'000);
  t.key("max_registry_calls", &L::max_registry_calls,
        "Questions to registries under way; further ones are answered 503.")
      .between(1, 100'000);
  t.key("node_calls_per_second", &L::node_calls_per_second, "Of one node, in the long run.")
      .between(1, 100'000);
  t.key("node_call_burst", &L::node_call_burst, "Of one node at once: an image of many layers.")
      .between(10, 1'000'000);
  return t;
}

TableOf<TrackedRegistryConfig> registry_entry_table() {
  using R = TrackedRegistryConfig;
  TableOf<R> t("registry", "A registry whose blobs the cluster distributes.");
  t.key("host", &R::host, "As image names call it.").required();
  t.key("url", &R::url, "Where the tracker reaches it.").required();
  t.key("tls_roots_file", &R::tls_roots_file,
        "Trust in its server certificate; without it the machine's own.");
  t.key("token_roots_file", &R::token_roots_file,
        "Its token CA, PEM: its tokens are then verified here. Without it the registry is asked.");
  t.key("metadata_roots_file", &R::metadata_roots_file,
        "Trust in its metadata statements; without it `token_roots_file`.");
  t.key("issuer", &R::issuer, "`iss` of its tokens, as its `registry.tokens.issuer`.");
  t.key("service", &R::service, "`aud` of its tokens, as its `registry.tokens.service`.");
  t.key("origin_name", &R::origin_name,
        "The only node of kind origin believed for it; without it any.");
  t.check([](const R& r, Check& check) {
    if (!r.token_roots_file.empty() || !r.metadata_roots_file.empty()) return;
    check.fault("token_roots_file", "is missing, and so is metadata_roots_file",
                "Without either no metadata statement of this registry could be believed.");
  });
  return t;
}

void check_tracker(const TrackerConfig& c, Check& check) {
  std::set<std::string> seen;
  for (const TrackedRegistryConfig& r : c.registries) {
    if (!seen.insert(r.host.text).second) {
      check.fault("registry", "names the host " + r.host.text + " twice", "");
    }
  }
  if (c.registries.empty()) {
    check.fault("registry", "is missing", "Name at least one registry in a [[tracker.registry]].");
  }
  if (c.listen.empty()) check.fault("listen", "must be an address", "");
}

TableOf<TrackerConfig> role_table() {
  using C = TrackerConfig;
  TableOf<C> t("tracker", "");
  t.key("cluster", &C::cluster, "Name of the cluster; stands in every certificate and ticket.")
      .required();
  t.key("trust_domain", &C::trust_domain, "Trust domain of its SPIFFE ids.").required();
  t.key("listen", &C::listen, "Where nodes and registries reach the tracker.");
  t.key("join_tokens_file", &C::join_tokens_file,
        "The store `convoy node token` writes; read again when it changes. `convoy node revoke` "
        "keeps its list beside it.")
      .required();
  t.key("node_lifetime", &C::node_lifetime,
        "How long a node certificate is good; renewed at half of it.")
      .between(minutes(10), milliseconds(hours(24 * 7)));
  t.key("ticket_lifetime", &C::ticket_lifetime, "How long a ticket is good.")
      .between(seconds(60), milliseconds(minutes(10)));
  t.key("announce_interval", &C::announce_interval, "How often nodes report.")
      .between(seconds(5), milliseconds(minutes(10)));
  t.key("registry_timeout", &C::registry_timeout, "How long a registry may take to answer.")
      .between(seconds(1), milliseconds(minutes(1)));
  t.key("degree", &C::degree, "Peers a node is given.").between(4, 50);
  t.table(&C::tls, key_pair_table("tls", "Server certificate. SIGHUP reads it again.", true));
  t.table(&C::ca, ca_table());
  t.table(&C::tickets,
          key_pair_table("tickets", "Signs tickets; chains to the cluster's root.", true));
  t.table(&C::client, key_pair_table("client",
                                     "What the tracker shows registries: a certificate that names "
                                     "it as the cluster's tracker. SIGHUP reads it again.",
                                     true));
  t.table(&C::limits, limits_table());
  t.list(&C::registries, registry_entry_table());
  t.check(check_tracker);
  return t;
}

}  // namespace

const Table& tracker_table() {
  static const Table table = [] {
    TableOf<TrackerFile> t("", "");
    t.table(&TrackerFile::tracker, role_table());
    add_common(t);
    return std::move(t).build();
  }();
  return table;
}

Faults parse_tracker(std::string_view text, TrackerFile& out) {
  return read_config(text, tracker_table(), &out);
}

}  // namespace convoy::config
