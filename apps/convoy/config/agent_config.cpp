#include "config/agent_config.hpp"

#include <set>

#include "base/bytes.hpp"

namespace convoy::config {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

bool node_name(const std::string& text) {
  Node node;
  node.kind = Node::Kind::text;
  node.text = text;
  return std::holds_alternative<Name>(Codec<Name>::read(node));
}

TableOf<AgentConfig::Tracker> tracker_entry_table() {
  using T = AgentConfig::Tracker;
  TableOf<T> t("tracker", "The cluster's tracker.");
  t.key("url", &T::url, "Where it is.").required();
  t.key("roots_file", &T::roots_file,
        "Trust in its server certificate; without it the machine's own.");
  t.key("pin", &T::pin, "SHA-256 of its certificate, hexadecimal (`convoy pki show` prints it).")
      .where("64 hexadecimal digits in lower case",
             [](const std::string& v) { return hash256_from_hex(v).has_value(); });
  t.key("join_token_file", &T::join_token_file,
        "A join token (`convoy node token create`), used at the first start.");
  t.check([](const T& tracker, Check& check) {
    if (tracker.url.url->tls) return;
    check.fault("url", "must be an https: URL", "The tracker speaks nothing else.");
  });
  return t;
}

constexpr std::string_view kDeclare =
    "Use 127.0.0.1, or declare it: allow_non_loopback = true together with ";

TableOf<AgentConfig::Mirror> mirror_table() {
  using M = AgentConfig::Mirror;
  TableOf<M> t("mirror", "The registry mirror for containerd, podman, CRI-O and Docker.");
  t.key("listen", &M::listen, "Where; `\"off\"` for nowhere.");
  t.key(
      "allow_non_loopback", &M::allow_non_loopback,
      "Must be true to listen beyond loopback, together with `users_file` or `client_roots_file`.");
  t.key("users_file", &M::users_file,
        "Who may use it (basic authentication): lines `name:hash` from `convoy user hash`.");
  t.key("client_roots_file", &M::client_roots_file,
        "Demands a client certificate of one of these CAs; needs `[agent.mirror.tls]`.");
  t.table(&M::tls, key_pair_table("tls", "Serve HTTPS with this. SIGHUP reads it again.", false));
  t.check([](const M& m, Check& check) {
    const bool authenticated = !m.users_file.empty() || !m.client_roots_file.empty();
    if (!m.listen.empty() && !m.listen.loopback() && !(m.allow_non_loopback && authenticated)) {
      check.fault("listen", "reaches beyond this machine",
                  std::string(kDeclare) + "users_file or client_roots_file.");
    }
    if (!m.client_roots_file.empty() && m.tls.cert_file.empty()) {
      check.fault("client_roots_file", "needs a certificate of the mirror's own",
                  "Name cert_file and key_file in [agent.mirror.tls].");
    }
  });
  return t;
}

TableOf<AgentConfig::Proxy> proxy_table() {
  using P = AgentConfig::Proxy;
  TableOf<P> t("proxy", "The HTTPS proxy for Docker and others (CONNECT).");
  t.key("listen", &P::listen, "Where; `\"off\"` for nowhere.");
  t.key("allow_non_loopback", &P::allow_non_loopback,
        "Must be true to listen beyond loopback, together with `users_file`.");
  t.key("users_file", &P::users_file, "Who may use it: lines `name:hash` from `convoy user hash`.");
  t.key("tunnel", &P::tunnel,
        "Tunnel hosts that are no registry listed here; else they are refused.");
  t.check([](const P& p, Check& check) {
    if (p.listen.empty() || p.listen.loopback()) return;
    if (p.allow_non_loopback && !p.users_file.empty()) return;
    check.fault("listen", "reaches beyond this machine", std::string(kDeclare) + "users_file.");
  });
  return t;
}

TableOf<AgentConfig::Peers> peers_table() {
  using P = AgentConfig::Peers;
  TableOf<P> t("peers", "The exchange with other nodes, in mutual TLS.");
  t.key("listen", &P::listen, "Where other nodes reach this one.");
  t.key("bind_ip", &P::bind_ip, "Local address of connections to peers and tracker.")
      .where("an IP address", is_ip_address);
  t.key("expected_rate", &P::expected_rate,
        "Speed of the node's link, if known; `\"unlimited\"`: measured.");
  t.check([](const P& p, Check& check) {
    if (p.listen.empty()) check.fault("listen", "must be an address", "");
  });
  return t;
}

TableOf<AgentConfig::Rates> rates_table() {
  using R = AgentConfig::Rates;
  TableOf<R> t("rates",
               "Limits of the node, counted in bytes of blobs. SIGHUP reads them again; `convoy "
               "rates` changes them until the next SIGHUP or start.");
  t.key("upload", &R::upload, "To all peers together.");
  t.key("upload_per_peer", &R::upload_per_peer, "To any one of them.");
  t.key("upload_background", &R::upload_background,
        "To peers, of blobs that no client of this node has read for half a minute, while one "
        "waits for another blob.");
  t.key("download", &R::download, "From peers and registries together.");
  t.key("origin", &R::origin, "From registries: straight, and from their origin seeders.");
  return t;
}

TableOf<PulledRegistryConfig> registry_entry_table() {
  using R = PulledRegistryConfig;
  TableOf<R> t("registry", "A registry whose pulls go through the agent.");
  t.key("host", &R::host, "As image names call it.").required();
  t.key("url", &R::url, "Where it is really reached.").required();
  t.key("roots_file", &R::roots_file, "Trust in its certificate; without it the machine's own.");
  t.key("user", &R::user, "The node's own, least-privileged user for mirror requests without one.");
  t.key("password_file", &R::password_file, "That user's password.");
  t.key("token_hosts", &R::token_hosts, "Further hosts its token service may be on.");
  t.key("default", &R::is_default, "Meant when a mirror request names no registry; at most one.");
  t.key("allow_http", &R::allow_http,
        "Allow an http: URL. Only for a registry on the same machine.");
  t.check([](const R& r, Check& check) {
    if (!r.url.url->tls && !r.allow_http) {
      check.fault("url", "must be an https: URL",
                  "For a registry on this very machine say allow_http = true.");
    }
    if (r.user.empty() != r.password_file.empty()) {
      check.fault(r.user.empty() ? "user" : "password_file", "is missing",
                  "A user and the password come together.");
    }
  });
  return t;
}

void check_agent(const AgentConfig& c, Check& check) {
  std::set<std::string> seen;
  std::size_t defaults = 0;
  for (const PulledRegistryConfig& r : c.registries) {
    if (r.is_default) ++defaults;
    if (!seen.insert(r.host.text).second) {
      check.fault("registry", "names the host " + r.host.text + " twice", "");
    }
  }
  if (defaults > 1) check.fault("registry", "has more than one with default = true", "");
  if (c.registries.empty()) {
    check.fault("registry", "is missing", "Name at least one registry in an [[agent.registry]].");
  }
  if (c.mirror.listen.empty() && c.proxy.listen.empty()) {
    check.fault("mirror.listen", "is off, and so is proxy.listen", "Nobody could use the agent.");
  }
}

TableOf<AgentConfig> role_table() {
  using C = AgentConfig;
  TableOf<C> t("agent", "");
  t.key("data_dir", &C::data_dir, "Node key, certificate and cache; made when missing.").required();
  t.key("node_name", &C::node_name, "Name to enrol under; without it the host's name.")
      .where("a name of 1 to 63 characters a-z, 0-9, '.' and '-'", node_name);
  t.key(
      "zone", &C::zone,
      "Where the node stands (site, room, rack): a blob crosses the border of a zone about once.");
  t.key("small_blob_limit", &C::small_blob_limit,
        "Blobs below this come straight from the registry, taken ahead when their manifest is "
        "pulled.")
      .between({0}, {64ULL << 20});
  t.key("page_cache", &C::page_cache,
        "What blobs may hold of the node's page cache, so that a large pull leaves other programs' "
        "files in memory; what is more comes from the disk when it is asked for again.")
      .between({16ULL << 20}, {1ULL << 40});
  t.key("kernel_tls", &C::kernel_tls, kKernelTls);
  t.key("swarm_stall", &C::swarm_stall,
        "When the swarm gives no byte for this long, and up to as long again, the registry is read "
        "instead.")
      .between(milliseconds(100), milliseconds(minutes(1)));
  t.table(&C::tracker, tracker_entry_table());
  t.table(&C::mirror, mirror_table());
  t.table(&C::proxy, proxy_table());
  t.table(&C::peers, peers_table());
  t.table(&C::rates, rates_table());
  t.list(&C::registries, registry_entry_table());
  t.check(check_agent);
  return t;
}

}  // namespace

const Table& agent_table() {
  static const Table table = [] {
    TableOf<AgentFile> t("", "");
    t.table(&AgentFile::agent, role_table());
    add_common(t);
    return std::move(t).build();
  }();
  return table;
}

Faults parse_agent(std::string_view text, AgentFile& out) {
  return read_config(text, agent_table(), &out);
}

}  // namespace convoy::config
