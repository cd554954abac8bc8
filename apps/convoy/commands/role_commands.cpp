#include <CLI/CLI.hpp>
#include <memory>

#include "commands/commands.hpp"

namespace convoy::commands {

namespace {

void add_role(CLI::App& app, int& status, const std::string& name, const std::string& what,
              const std::string& footer, int (*run)(const RoleArgs&)) {
  CLI::App* role = app.add_subcommand(name, what);
  role->group("Roles");
  auto args = std::make_shared<RoleArgs>();
  role->add_option("-c,--config", args->config, "The configuration, TOML")
      ->required()
      ->type_name("FILE");
  role->add_flag("--check-config", args->check_config, "Check the configuration's text and stop");
  role->add_flag("--check-files", args->check_files, "Check it and every file it names and stop");
  role->add_option("--ready-file", args->ready_file,
                   "Write the bound addresses to FILE, as JSON, once they are open")
      ->type_name("FILE");
  role->footer(
      footer +
      "\nSIGTERM ends it after the requests under way (10 s at most), a second one at "
      "once.\nSIGHUP reads certificates, users and rates again. The log goes to standard error.\n"
      "Exit status: 0 orderly end, 1 failure, 2 usage or configuration.");
  role->callback([args, run, &status] { status = run(*args); });
}

}  // namespace

void add_role_commands(CLI::App& app, int& status) {
  add_role(app, status, "registry", "Store and serve images, issue tokens, seed the swarms",
           "Example:\n  convoy registry --config /etc/convoy/registry.toml\n"
           "  convoy registry --config registry.toml --check-config\n",
           run_registry);
  add_role(app, status, "tracker", "Enrol nodes, issue tickets, tell peers of each other",
           "Example:\n  convoy tracker --config /etc/convoy/tracker.toml\n", run_tracker);
  add_role(
      app, status, "agent", "Mirror and proxy on a node: pull from peers, then the registry",
      "Example:\n  convoy agent --config /etc/convoy/agent.toml\n"
      "  then: skopeo copy --src-tls-verify=false docker://127.0.0.1:5001/team/app:1 oci:app\n",
      run_agent);
}

}  // namespace convoy::commands
