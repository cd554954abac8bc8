#include <cstdio>
#include <filesystem>
#include <utility>

#include "cli/files.hpp"
#include "cli/node_tokens.hpp"
#include "cli/password_input.hpp"
#include "cli/pki_folder.hpp"
#include "cli/show_certificate.hpp"
#include "commands/commands.hpp"
#include "config/agent_config.hpp"
#include "config/quantity.hpp"
#include "config/reference.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"
#include "config/users_file.hpp"
#include "crypto/password.hpp"
#include "security/ca/join_token.hpp"
#include "security/ca/revoked_nodes.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::commands {

namespace {

int fail(const std::string& command, const std::string& why) {
  std::fprintf(stderr, "convoy %s: %s\n", command.c_str(), why.c_str());
  return kFailed;
}

int misuse(const std::string& command, const std::string& why) {
  std::fprintf(stderr, "convoy %s: %s\n", command.c_str(), why.c_str());
  return kUsage;
}

constexpr const char* kKinds = "--kind is node or origin";

/// Of those that join by a token.
std::optional<security::NodeKind> member_kind(const std::string& text) {
  const auto kind = security::parse_node_kind(text);
  return kind == security::NodeKind::tracker ? std::nullopt : kind;
}

/// "host[:port]" of the first, names of all.
std::optional<cli::ServerPlace> place_of(const std::vector<std::string>& hosts,
                                         std::uint16_t port) {
  cli::ServerPlace place;
  for (const std::string& text : hosts) {
    const auto host = oci::RegistryHost::parse(text);
    if (!host) return std::nullopt;
    const bool explicit_port = host->host() != host->str() && !host->str().ends_with(']');
    if (place.host.empty()) {
      place.host = host->host();
      place.port = explicit_port ? host->port() : port;
    } else {
      place.also.push_back(host->host());
    }
  }
  return place;
}

}  // namespace

int run_pki_init(const PkiInitArgs& args) {
  const auto registry = place_of(args.registry_hosts, 5000);
  if (!registry) return misuse("pki init", "--registry-host takes host[:port]");
  const auto tracker = place_of(args.tracker_hosts, 5443);
  if (!tracker) return misuse("pki init", "--tracker-host takes host[:port]");
  SystemClock clock;
  SystemRandom random;
  const cli::PkiPlan plan{args.folder, args.cluster, args.trust_domain, *registry, *tracker};
  if (Status made = cli::create_pki_folder(plan, clock, random); !made) {
    return fail("pki init", made.error().text());
  }
  std::printf(
      "%s/README.txt says what each file is and what comes next.\n"
      "Take %s/offline away: its keys are needed only to renew the CAs.\n",
      args.folder.c_str(), args.folder.c_str());
  return kOk;
}

int run_pki_show(const std::string& file) {
  const auto text = cli::read_file(file);
  if (!text) return fail("pki show", text.error().detail());
  const auto shown = cli::show_certificates(*text, SystemClock().wall());
  if (!shown) return fail("pki show", file + " holds no certificate with a P-256 key");
  std::fputs(shown->c_str(), stdout);
  return kOk;
}

int run_node_token_create(const NodeTokenArgs& args) {
  security::JoinTokenSpec spec;
  const auto kind = member_kind(args.kind);
  if (!kind) return misuse("node token create", kKinds);
  const auto ttl = config::parse_duration(args.ttl);
  if (!ttl) return misuse("node token create", "--ttl is a duration like 30m, 1h or 7d");
  spec.kind = *kind;
  spec.name = args.name;
  spec.zone = args.zone;
  spec.lifetime = std::chrono::duration_cast<std::chrono::seconds>(*ttl);
  security::FileJoinTokenStore store(args.join_file);
  SystemRandom random;
  auto token = security::create_join_token(store, spec, SystemClock().wall(), random);
  if (!token) return fail("node token create", token.error().text());
  const std::string_view text = token->reveal();
  std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  return kOk;
}

int run_node_token_list(const std::string& join_file) {
  security::FileJoinTokenStore store(join_file);
  const auto records = store.list();
  if (!records) return fail("node token list", records.error().text());
  std::fputs(cli::join_token_table(*records, SystemClock().wall()).c_str(), stdout);
  return kOk;
}

int run_node_token_revoke(const std::string& join_file, const std::string& id) {
  security::FileJoinTokenStore store(join_file);
  if (Status removed = store.remove(id); !removed) {
    return fail("node token revoke", removed.error().text());
  }
  return kOk;
}

int run_node_revoke(const NodeArgs& args) {
  const auto kind = member_kind(args.kind);
  if (!kind) return misuse("node revoke", kKinds);
  // No tracker reads a list that stands beside no token store.
  if (!std::filesystem::exists(args.join_file)) {
    return fail("node revoke", "there is no " + args.join_file);
  }
  security::RevokedNodes nodes(args.join_file);
  const Status done = nodes.add(*kind, args.name);
  return done ? kOk : fail("node revoke", done.error().text());
}

int run_node_allow(const NodeArgs& args) {
  const auto kind = member_kind(args.kind);
  if (!kind) return misuse("node allow", kKinds);
  security::RevokedNodes nodes(args.join_file);
  const Status done = nodes.remove(*kind, args.name);
  return done ? kOk : fail("node allow", done.error().text());
}

int run_user_hash(const std::string& name) {
  if (!name.empty()) {
    config::Faults faults;
    config::parse_users(name + ":x", faults);
    if (!faults.empty()) return misuse("user hash", "--name " + faults.front().problem);
  }
  const auto password = cli::read_password("Password: ");
  if (!password) return misuse("user hash", password.error().detail());
  SystemRandom random;
  const std::string hash = crypto::hash_password(*password, random);
  std::printf("%s%s%s\n", name.c_str(), name.empty() ? "" : ":", hash.c_str());
  return kOk;
}

int run_config_reference(const std::string& role) {
  std::string text;
  if (role.empty() || role == "all") text = config::reference_page();
  if (role == "registry") text = config::reference(config::registry_table(), role);
  if (role == "tracker") text = config::reference(config::tracker_table(), role);
  if (role == "agent") text = config::reference(config::agent_table(), role);
  if (text.empty()) return misuse("config reference", "the roles are registry, tracker and agent");
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace convoy::commands
