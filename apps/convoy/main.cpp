#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "base/version.hpp"
#include "commands/commands.hpp"
#include "config/fault.hpp"

namespace {

constexpr const char* kIntroduction =
    "Convoy distributes container images inside a cluster from node to node, so that the "
    "registry's\n"
    "uplink is no bottleneck: mutual TLS, short-lived tickets, every piece verified, all of it "
    "audited.\n";

constexpr const char* kFooter =
    "Start here:\n"
    "  convoy up                      everything on this machine, with the commands to paste\n"
    "  convoy demo                    eight nodes pull one image at once\n"
    "  convoy COMMAND --help          what a command does, with an example\n"
    "  convoy config reference agent  every key of a configuration";

/// Says so when the first word is no command; 0 when it is one.
int unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return 0;
  const std::string word = argv[1];
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  if (std::find(names.begin(), names.end(), word) != names.end()) return 0;
  const std::string meant = convoy::config::nearest(word, names);
  std::cerr << "convoy: there is no command " << word
            << (meant.empty() ? ".\nSee convoy --help." : "; did you mean " + meant + "?") << "\n";
  return convoy::commands::kUsage;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app(kIntroduction, "convoy");
  app.footer(kFooter);
  app.set_version_flag("--version", "convoy " + std::string(convoy::kVersion));
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("convoy: ") + error.what() + "\nSee convoy --help, or COMMAND --help.\n";
  });
  int status = convoy::commands::kOk;
  convoy::commands::add_try_commands(app, status);
  convoy::commands::add_role_commands(app, status);
  convoy::commands::add_admin_commands(app, status);
  convoy::commands::add_store_commands(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const int usage = unknown_command(app, argc, argv)) return usage;
    return app.exit(error) == 0 ? convoy::commands::kOk : convoy::commands::kUsage;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(0077);
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "convoy: " << error.what() << "\n";
    return convoy::commands::kFailed;
  }
}
