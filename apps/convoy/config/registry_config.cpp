#include "config/registry_config.hpp"

#include <algorithm>
#include <set>

#include "wire/oci/reference.hpp"

namespace convoy::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TableOf<RegistryConfig::Tokens> tokens_table() {
  using Tokens = RegistryConfig::Tokens;
  TableOf<Tokens> t("tokens",
                    "The token service (Docker token authentication): who pushes and "
                    "pulls shows a token that it signed.");
  t.key("cert_file", &Tokens::cert_file,
        "Chain of the token signer's certificate, PEM, leaf first.")
      .required();
  t.key("key_file", &Tokens::key_file, "Its private key, PEM; not readable by everyone.")
      .required();
  t.key("roots_file", &Tokens::roots_file,
        "The token CA; without it the last certificate of `cert_file`.");
  t.key("issuer", &Tokens::issuer, "`iss` of tokens and metadata statements; trackers expect it.");
  t.key("service", &Tokens::service, "`aud` of tokens; trackers expect it.");
  t.key("lifetime", &Tokens::lifetime, "How long a token is good.")
      .between(seconds(60), milliseconds(hours(1)));
  return t;
}

TableOf<RegistryConfig::Limits> limits_table() {
  using Limits = RegistryConfig::Limits;
  TableOf<Limits> t("limits", "What a client may at most do.");
  t.key("manifest_size", &Limits::manifest_size, "Bytes of a manifest.")
      .between({64ULL << 10}, {64ULL << 20});
  t.key("header_size", &Limits::header_size, "Bytes of a request's headers.")
      .between({8ULL << 10}, {256ULL << 10});
  t.key("blob_size", &Limits::blob_size, "Bytes of one upload.")
      .between({1ULL << 20}, {4ULL << 40});
  t.key("uploads_per_user", &Limits::uploads_per_user, "Uploads in progress at once.")
      .between(1, 10'000);
  t.key("header_timeout", &Limits::header_timeout,
        "How long a client may take for the head of a request, and for a TLS handshake.")
      .between(milliseconds(100), milliseconds(std::chrono::minutes(5)));
  t.key("upload_idle", &Limits::upload_idle,
        "An upload that sends no byte for this long is cut, and a download that takes none.")
      .between(seconds(1), milliseconds(hours(1)));
  t.key("upload_min_rate", &Limits::upload_min_rate,
        "The slowest body of a request, and the slowest reader of an answer, judged after each "
        "`upload_min_rate_span` spent waiting for its client; a slower one is cut.");
  t.key("upload_min_rate_span", &Limits::upload_min_rate_span, "See `upload_min_rate`.")
      .between(milliseconds(100), milliseconds(hours(1)));
  t.key("upload_lifetime", &Limits::upload_lifetime, "An unfinished upload is removed after this.")
      .between(std::chrono::minutes(1), milliseconds(hours(24 * 30)));
  t.key("upload_abandoned", &Limits::upload_abandoned,
        "The same when no request came for it this long.")
      .between(std::chrono::minutes(1), milliseconds(hours(24 * 30)));
  t.key("max_connections", &Limits::max_connections,
        "A further connection takes the place of the one that has been without a request for "
        "longest; when all have one it is closed at once.")
      .between(10, 1'000'000);
  t.key("connections_per_address", &Limits::connections_per_address,
        "At once from one IPv4 address or IPv6 /64; further ones are closed. 0: any number.")
      .between(0, 1'000'000);
  t.key("requests_per_address", &Limits::requests_per_address,
        "Requests per second of one IPv4 address or IPv6 /64 in the long run; more are answered "
        "429. 0: any number.")
      .between(0, 1'000'000);
  t.key("requests_per_address_burst", &Limits::requests_per_address_burst,
        "How many of them may come at once.")
      .between(1, 1'000'000);
  t.key("requests_per_user", &Limits::requests_per_user,
        "The same of one user, from wherever it comes.")
      .between(0, 1'000'000);
  t.key("requests_per_user_burst", &Limits::requests_per_user_burst,
        "How many of them may come at once.")
      .between(1, 1'000'000);
  return t;
}

TableOf<RegistryConfig::Load> load_table() {
  using Load = RegistryConfig::Load;
  TableOf<Load> t(
      "load",
      "When the registry turns requests away (503 with Retry-After) so that those under "
      "way end well: first listings, logins and new uploads, then new pulls.");
  t.key("latency", &Load::latency,
        "Busy when requests have waited this long for a second, overloaded at four times as long; "
        "0 does not look at it.")
      .between(milliseconds(0), milliseconds(seconds(60)));
  t.key("memory", &Load::memory,
        "Busy at 80 % of so many bytes in memory, overloaded at 90 %; 0 takes the limit of the "
        "control group, if it has one.");
  return t;
}

TableOf<RegistryConfig::Gc> gc_table() {
  using Gc = RegistryConfig::Gc;
  TableOf<Gc> t("gc",
                "Collection of what nothing names any more, while the registry serves. `convoy gc` "
                "runs one at once.");
  t.key("interval", &Gc::interval, "Time between runs; 0 runs none by itself.")
      .between(seconds(0), milliseconds(hours(24 * 30)));
  t.key("lease", &Gc::lease,
        "A blob that was pushed, mounted, asked for or set free within this time is never "
        "collected. Longer than any push takes from its first blob to its manifest.")
      .between(seconds(1), milliseconds(hours(24 * 30)));
  t.key("untagged_age", &Gc::untagged_age,
        "A manifest without tag, index or subject goes when it was neither pushed, pulled nor set "
        "free for this long; 0 keeps it until it is deleted.")
      .between(seconds(0), milliseconds(hours(24 * 3650)));
  t.key("pause", &Gc::pause, "Rest between two steps of a run.")
      .between(milliseconds(0), milliseconds(seconds(10)));
  return t;
}

TableOf<RegistryConfig::Scrub> scrub_table() {
  using Scrub = RegistryConfig::Scrub;
  TableOf<Scrub> t(
      "scrub",
      "Stored blobs are hashed again in the background, at the lowest disk priority; one "
      "that is damaged is quarantined and reported. `convoy scrub` begins a pass at "
      "once.");
  t.key("interval", &Scrub::interval,
        "From the end of a pass to the next; 0 begins none by itself.")
      .between(seconds(0), milliseconds(hours(24 * 365)));
  t.key("rate", &Scrub::rate, "Bytes read per second at most.");
  return t;
}

TableOf<RetentionConfig> retention_table() {
  using R = RetentionConfig;
  TableOf<R> t(
      "retention",
      "Which tags of the project stay. A tag that one or more rules speak of stays when one "
      "of them keeps it; a tag that none speaks of stays. `convoy gc --dry-run` explains "
      "each decision.");
  t.key("repositories", &R::repositories, "Patterns of full names, as in grants.");
  t.key("tags", &R::tags, "Patterns; `*` stands for anything.");
  t.key("keep_newest", &R::keep_newest, "Keep this many of each repository, by the last push.");
  t.key("keep_pushed", &R::keep_pushed, "Keep what was pushed within this time.");
  t.key("keep_pulled", &R::keep_pulled, "Keep what was pulled within this time.");
  t.check([](const R& r, Check& check) {
    const bool keeps = r.keep_newest > 0 || r.keep_pushed.count() > 0 || r.keep_pulled.count() > 0;
    if (!keeps) {
      check.fault(
          "", "keeps nothing",
          "Say keep_newest, keep_pushed or keep_pulled; a rule with none of them would remove "
          "every tag it speaks of.");
    }
    if (r.repositories.empty()) check.fault("repositories", "must not be empty", "");
    if (r.tags.empty()) check.fault("tags", "must not be empty", "");
  });
  return t;
}

bool is_project_name(const std::string& text) {
  return text == "*" || oci::RepoName::parse(text).ok();
}

TableOf<ProjectConfig> project_table() {
  using P = ProjectConfig;
  TableOf<P> t("project", "Rules for the repositories of one project.");
  t.key("name", &P::name,
        "It covers the repository of this name and all below it; the longest name that covers a "
        "repository counts. `*` covers the rest, each first part of a name a project of its own.")
      .required()
      .where("the beginning of repository names, such as \"team\", or \"*\"", is_project_name);
  t.key(
      "quota", &P::quota,
      "Bytes that its repositories may hold together, each counting all it holds; 0 is no limit. A "
      "push past it is refused before its bytes come.");
  t.key("immutable_tags", &P::immutable_tags,
        "Patterns of tags that, once made, are neither moved nor removed, by whatever way.");
  t.list(&P::retention, retention_table());
  return t;
}

void check_projects(const RegistryConfig& c, Check& check) {
  std::set<std::string> names;
  for (const ProjectConfig& project : c.projects) {
    if (names.insert(project.name).second) continue;
    check.fault("project", "names \"" + project.name + "\" twice", "");
  }
}

void check_actions(const GrantConfig& grant, Check& check) {
  for (const std::string& action : grant.actions) {
    if (action == "pull" || action == "push" || action == "delete" || action == "*") continue;
    check.fault("actions", "must hold only \"pull\", \"push\", \"delete\" or \"*\"", "");
    return;
  }
}

TableOf<GrantConfig> grant_table() {
  TableOf<GrantConfig> t("grant", "Who may do what. Whatever no grant allows is refused.");
  t.key("repositories", &GrantConfig::repositories,
        "Patterns: `*` stands for anything within one part of a name, `**` across parts.")
      .required();
  t.key("actions", &GrantConfig::actions, "`pull`, `push`, `delete`, or `*` for all.");
  t.key(
       "users", &GrantConfig::users,
       "Names of the users file; `anonymous` for those who show no password, `*` for every user of "
       "the file.")
      .required();
  t.check([](const GrantConfig& grant, Check& check) {
    check_actions(grant, check);
    if (grant.repositories.empty()) check.fault("repositories", "must not be empty", "");
    if (grant.actions.empty()) check.fault("actions", "must not be empty", "");
    if (grant.users.empty()) check.fault("users", "must not be empty", "");
  });
  return t;
}

void check_cluster(const SeedClusterConfig& c, Check& check) {
  if (c.tracker_url.empty()) return;
  if (!c.tracker_url.url->tls) {
    check.fault("tracker_url", "must be an https: URL", "The tracker speaks nothing else.");
  }
  if (c.registry_host.empty()) {
    check.fault("registry_host", "is missing",
                "Say how image names call this registry, so that the tracker knows whose blobs it "
                "seeds.");
  }
  if (c.peer_listen.empty()) {
    check.fault("peer_listen", "must be an address where a tracker is named", "");
  }
}

TableOf<SeedClusterConfig> cluster_table() {
  using C = SeedClusterConfig;
  TableOf<C> t("cluster",
               "A cluster whose tracker may ask this registry, and whose nodes it seeds.");
  t.key("name", &C::name, "Name of the cluster, as in its node certificates.").required();
  t.key("trust_domain", &C::trust_domain, "Trust domain of its SPIFFE ids.").required();
  t.key("roots_file", &C::roots_file, "Root certificates of the cluster, PEM.").required();
  t.key("registry_host", &C::registry_host,
        "This registry as image names and the tracker call it.");
  t.key("tracker_url", &C::tracker_url,
        "The cluster's tracker; without it the registry answers it but seeds nothing.");
  t.key("tracker_roots_file", &C::tracker_roots_file,
        "Trust in the tracker's server certificate; without it the machine's own.");
  t.key("join_token_file", &C::join_token_file,
        "A join token of kind origin (`convoy node token create --kind origin`), used at the first "
        "start.");
  t.key("node_name", &C::node_name, "Name the origin seeder enrols under.");
  t.key("state_dir", &C::state_dir,
        "Its key and certificate; without it `origin/<name>` in the data directory.");
  t.key("peer_listen", &C::peer_listen, "Where nodes reach the origin seeder.");
  t.key("advertised_port", &C::advertised_port, "Port told to the tracker; 0: the one listened on.")
      .between(0, 65535);
  t.key("bind_ip", &C::bind_ip,
        "Local address of connections to the tracker; nodes are sent there.")
      .where("an IP address", is_ip_address);
  t.key("zone", &C::zone,
        "Where the origin seeder stands: nodes of this zone get what it has first.");
  t.check(check_cluster);
  return t;
}

void check_webhook(const WebhookConfig& hook, Check& check) {
  const bool known =
      std::all_of(hook.events.begin(), hook.events.end(), [](const std::string& event) {
        return event == "push" || event == "pull" || event == "delete";
      });
  if (!known || hook.events.empty()) {
    check.fault("events", "must hold \"push\", \"pull\" or \"delete\", and nothing else", "");
  }
  if (hook.repositories.empty()) check.fault("repositories", "must not be empty", "");
  if (!hook.roots_file.empty() && hook.url.url && !hook.url.url->tls) {
    check.fault("roots_file", "has no meaning for an http: URL", "Leave it out, or say https:.");
  }
}

TableOf<WebhookConfig> webhook_table() {
  using W = WebhookConfig;
  TableOf<W> t("webhook",
               "A receiver of events: CloudEvents by POST, signed (docs/protocols/"
               "registry-events.md). They wait in memory; a restart of the registry is needed to "
               "change this table.");
  t.key("name", &W::name, "In logs and metrics.").required();
  t.key("url", &W::url, "Redirects are not followed.").required();
  t.key("events", &W::events, "`push`, `pull`, `delete`.");
  t.key("repositories", &W::repositories, "Patterns of names, as in grants.");
  t.key("secret_file", &W::secret_file,
        "Key of the signature, at least 16 characters. SIGHUP reads it again.")
      .required();
  t.key("roots_file", &W::roots_file,
        "Trust in the receiver's certificate, PEM; without it the machine's own.");
  t.key("timeout", &W::timeout, "Of one attempt, from the connection to the answer.")
      .between(milliseconds(100), milliseconds(seconds(60)));
  t.key("queue", &W::queue, "Events that may wait; then the oldest pulls go first.")
      .between(1, 100'000);
  t.key("retry_for", &W::retry_for,
        "An event that is older when an attempt fails is given up; each is tried at least once.")
      .between(milliseconds(0), milliseconds(hours(24)));
  t.check(check_webhook);
  return t;
}

void check_webhooks(const RegistryConfig& c, Check& check) {
  std::set<std::string> names;
  for (const WebhookConfig& hook : c.webhooks) {
    if (names.insert(hook.name.text).second) continue;
    check.fault("webhook", "names \"" + hook.name.text + "\" twice", "");
  }
}

bool is_missing_content(const std::string& text) {
  return text == "none" || text == "children" || text == "any";
}

void check_registry(const RegistryConfig& c, Check& check) {
  const bool tls = !c.tls.cert_file.empty();
  if (!tls && !c.plain_http) {
    check.fault("tls", "is missing",
                "Name cert_file and key_file in [registry.tls]; or, behind a proxy that ends TLS, "
                "say plain_http = true.");
  }
  if (tls && c.plain_http) {
    check.fault("plain_http", "contradicts [registry.tls]", "Leave one of them out.");
  }
  if (c.listen.empty()) check.fault("listen", "must be an address", "");
  check_projects(c, check);
  check_webhooks(c, check);
}

TableOf<RegistryConfig> role_table() {
  using C = RegistryConfig;
  TableOf<C> t("registry", "");
  t.key("data_dir", &C::data_dir, "Blobs, uploads and the database; made when missing.").required();
  t.key("listen", &C::listen, "Where clients reach the registry.");
  t.key("public_url", &C::public_url,
        "How clients reach the token service; without it the scheme and host they used.");
  t.key("plain_http", &C::plain_http,
        "Serve without TLS. Only behind a proxy on the same machine that ends TLS.");
  t.key("kernel_tls", &C::kernel_tls, kKernelTls);
  t.key("users_file", &C::users_file,
        "Lines `name:hash`, hashes from `convoy user hash`; without it only `anonymous` exists. "
        "SIGHUP reads it again.");
  t.key("egress_limit", &C::egress_limit,
        "Bytes per second of answers and seeding together. SIGHUP reads it again.");
  t.key("allow_delete", &C::allow_delete,
        "Whether tags, manifests and blobs may be deleted by the API.");
  t.key("missing_content", &C::missing_content,
        "What a manifest may name before it was pushed: `none`, `children` of an index (sparse "
        "indexes), or `any` blob and child.")
      .where("\"none\", \"children\" or \"any\"", is_missing_content);
  t.table(&C::tls, key_pair_table("tls",
                                  "Server certificate. SIGHUP reads it again. Where it names an "
                                  "OCSP responder, its answer is stapled.",
                                  false));
  t.table(&C::tokens, tokens_table());
  t.table(&C::metadata,
          key_pair_table("metadata",
                         "Signs what a blob's torrent is made of; chains to the token CA.", true));
  t.table(&C::limits, limits_table());
  t.table(&C::load, load_table());
  t.table(&C::gc, gc_table());
  t.table(&C::scrub, scrub_table());
  t.list(&C::projects, project_table());
  t.list(&C::grants, grant_table());
  t.list(&C::clusters, cluster_table());
  t.list(&C::webhooks, webhook_table());
  t.check(check_registry);
  return t;
}

}  // namespace

const Table& registry_table() {
  static const Table table = [] {
    TableOf<RegistryFile> t("", "");
    t.table(&RegistryFile::registry, role_table());
    add_common(t);
    return std::move(t).build();
  }();
  return table;
}

Faults parse_registry(std::string_view text, RegistryFile& out) {
  return read_config(text, registry_table(), &out);
}

}  // namespace convoy::config
