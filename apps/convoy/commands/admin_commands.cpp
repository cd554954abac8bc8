#include <CLI/CLI.hpp>
#include <memory>

#include "commands/commands.hpp"

namespace convoy::commands {

namespace {

constexpr const char* kGroup = "Administration";

CLI::App* group_of(CLI::App& app, const std::string& name, const std::string& what) {
  CLI::App* group = app.add_subcommand(name, what);
  group->group(kGroup);
  group->require_subcommand(1);
  return group;
}

void add_pki(CLI::App& app, int& status) {
  CLI::App* pki = group_of(app, "pki", "Make and look at keys and certificates");
  pki->footer(
      "Example:\n  convoy pki init --dir pki --cluster prod --trust-domain example.org \\\n"
      "    --registry-host registry.example.org --tracker-host tracker.example.org");

  CLI::App* init = pki->add_subcommand("init", "All keys and starting configurations of a cluster");
  auto args = std::make_shared<PkiInitArgs>();
  init->add_option("--dir", args->folder, "Folder to make")->required()->type_name("DIR");
  init->add_option("--cluster", args->cluster, "Name of the cluster")
      ->required()
      ->type_name("NAME");
  init->add_option("--trust-domain", args->trust_domain, "Trust domain of its SPIFFE ids")
      ->required()
      ->type_name("DOMAIN");
  init->add_option("--registry-host", args->registry_hosts,
                   "host[:port] as image names have it; repeated: further names of its certificate")
      ->required()
      ->type_name("HOST");
  init->add_option("--tracker-host", args->tracker_hosts,
                   "host[:port] of the tracker; repeated: further names of its certificate")
      ->required()
      ->type_name("HOST");
  init->footer(
      "Makes offline/ (the CAs' keys, to be taken away), registry/, tracker/ and agent/, each "
      "with a\nconfiguration that starts, and a README.txt.\n\nExample:\n"
      "  convoy pki init --dir pki --cluster prod --trust-domain example.org \\\n"
      "    --registry-host registry.example.org:5000 --tracker-host tracker.example.org");
  init->callback([args, &status] { status = run_pki_init(*args); });

  CLI::App* show = pki->add_subcommand("show", "What the certificates of a file say");
  auto file = std::make_shared<std::string>();
  show->add_option("FILE", *file, "PEM")->required();
  show->footer("Example:\n  convoy pki show pki/tracker/server.pem");
  show->callback([file, &status] { status = run_pki_show(*file); });
}

void add_node_order(CLI::App& node, const std::string& name, const char* what,
                    int (*run)(const NodeArgs&), int& status) {
  CLI::App* command = node.add_subcommand(name, what);
  auto args = std::make_shared<NodeArgs>();
  command->add_option("--join-file", args->join_file, "The tracker's join_tokens_file")
      ->required()
      ->type_name("FILE");
  command->add_option("--kind", args->kind, "node, or origin for a registry's seeder")
      ->capture_default_str();
  command->add_option("NAME", args->name, "The node's name")->required();
  command->footer("Example:\n  convoy node " + name + " --join-file join-tokens.json node-7");
  command->callback([args, run, &status] { status = run(*args); });
}

void add_node(CLI::App& app, int& status) {
  CLI::App* node = group_of(app, "node", "Let nodes join the cluster, or throw them out");
  add_node_order(*node, "revoke", "Refuse a node, whatever it has; on the tracker's machine",
                 run_node_revoke, status);
  add_node_order(*node, "allow", "Take a revocation back", run_node_allow, status);
  node->footer(
      "Example:\n  convoy node token create --join-file /etc/convoy/join-tokens.json --ttl 30m");
  CLI::App* token = node->add_subcommand("token", "One-time join tokens, on the tracker's machine");
  token->require_subcommand(1);
  auto args = std::make_shared<NodeTokenArgs>();
  auto id = std::make_shared<std::string>();
  const auto join_file = [args](CLI::App* command) {
    command->add_option("--join-file", args->join_file, "The tracker's join_tokens_file")
        ->required()
        ->type_name("FILE");
  };

  CLI::App* create = token->add_subcommand("create", "Print a new token; only its hash is kept");
  join_file(create);
  create->add_option("--kind", args->kind, "node, or origin for a registry's seeder")
      ->capture_default_str();
  create->add_option("--name", args->name, "Only a node of this name may use it");
  create->add_option("--zone", args->zone, "The node's zone, whatever it says itself");
  create->add_option("--ttl", args->ttl, "How long it may be used")
      ->capture_default_str()
      ->type_name("DURATION");
  create->footer(
      "Example:\n  convoy node token create --join-file join-tokens.json --name node-7 > token");
  create->callback([args, &status] { status = run_node_token_create(*args); });

  CLI::App* list = token->add_subcommand("list", "Tokens, without their secrets");
  join_file(list);
  list->footer("Example:\n  convoy node token list --join-file join-tokens.json");
  list->callback([args, &status] { status = run_node_token_list(args->join_file); });

  CLI::App* revoke = token->add_subcommand("revoke", "Make a token useless");
  join_file(revoke);
  revoke->add_option("ID", *id, "As `list` shows it")->required();
  revoke->footer(
      "Example:\n  convoy node token revoke --join-file join-tokens.json 0123456789abcdef");
  revoke->callback([args, id, &status] { status = run_node_token_revoke(args->join_file, *id); });
}

void add_user(CLI::App& app, int& status) {
  CLI::App* user = group_of(app, "user", "People and robots who log in");
  user->footer("Example:\n  convoy user hash --name ann >> users");
  CLI::App* hash =
      user->add_subcommand("hash", "Turn a password (standard input) into a users line");
  auto name = std::make_shared<std::string>();
  hash->add_option("--name", *name, "Print name:hash instead of the hash alone");
  hash->footer(
      "Example:\n  convoy user hash --name ann >> users        # asks\n"
      "  convoy user hash --name robot < password-file >> users");
  hash->callback([name, &status] { status = run_user_hash(*name); });
}

void add_config(CLI::App& app, int& status) {
  CLI::App* config = group_of(app, "config", "What can be configured");
  config->footer("Example:\n  convoy config reference agent");
  CLI::App* reference = config->add_subcommand("reference", "Every key, as Markdown");
  auto role = std::make_shared<std::string>();
  reference->add_option("ROLE", *role, "registry, tracker or agent; without it all of them");
  reference->footer("Example:\n  convoy config reference tracker | less");
  reference->callback([role, &status] { status = run_config_reference(*role); });
}

void add_status(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand(
      "status", "An agent's pulls, under way and recent, and where their bytes came from");
  command->group(kGroup);
  auto args = std::make_shared<StatusArgs>();
  CLI::Option* ops = command->add_option("--ops", args->ops, "The agent's operations listener")
                         ->capture_default_str()
                         ->type_name("URL");
  command->add_option("-c,--config", args->config, "Take it from the agent's configuration")
      ->type_name("FILE")
      ->excludes(ops);
  command->add_flag("--json", args->json, "As the agent gives it");
  command->footer("Example:\n  convoy status\n  convoy status --ops http://127.0.0.1:9503 --json");
  command->callback([args, &status] { status = run_status(*args); });
}

void add_rates(CLI::App& app, int& status) {
  CLI::App* command = app.add_subcommand("rates", "Show or change a running agent's rate limits");
  command->group(kGroup);
  auto args = std::make_shared<RatesArgs>();
  CLI::Option* config =
      command->add_option("-c,--config", args->config, "The agent's configuration")
          ->type_name("FILE");
  command->add_option("--data", args->data, "Its data directory")
      ->type_name("DIR")
      ->excludes(config);
  const auto rate = [command](const char* name, std::string& value, const char* what) {
    command->add_option(name, value, what)->type_name("RATE");
  };
  rate("--upload", args->upload, "To all peers together");
  rate("--upload-per-peer", args->upload_per_peer, "To any one of them");
  rate("--upload-background", args->upload_background,
       "Of blobs nobody here has read lately, while a client waits for another");
  rate("--download", args->download, "From peers and registries together");
  rate("--origin", args->origin, "From registries: straight, and from their origin seeders");
  command->add_flag("--json", args->json, "For programs, in bytes per second");
  command->footer(
      "RATE is as in the configuration: 50MB/s, 400Mbit/s, unlimited. What is not named stays as "
      "it\n"
      "is. A change holds for what is under way too, until SIGHUP or the next start, when the\n"
      "configuration's [agent.rates] counts again.\n"
      "The agent is asked through its operations listener, with the token it left in admin.json "
      "of\n"
      "its data directory. Run it as the agent's user.\n\nExample:\n"
      "  convoy rates --config /etc/convoy/agent.toml\n"
      "  convoy rates --config /etc/convoy/agent.toml --upload 20MB/s --download unlimited");
  command->callback([args, &status] { status = run_rates(*args); });
}

}  // namespace

void add_admin_commands(CLI::App& app, int& status) {
  add_status(app, status);
  add_rates(app, status);
  add_pki(app, status);
  add_node(app, status);
  add_user(app, status);
  add_config(app, status);
}

}  // namespace convoy::commands
