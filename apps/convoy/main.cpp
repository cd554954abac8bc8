#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>
#include <sys/stat.h>

#include "base/version.hpp"
#include "commands/commands.hpp"

namespace {

constexpr const char* kIntroduction =
    "Convoy distributes container images inside a cluster from node to node, so that the "
    "registry's\n"
    "uplink is no bottleneck: mutual TLS, short-lived tickets, every piece verified, all of it "
    "audited.";

constexpr const char* kFooter =
    "Start here:\n"
    "  convoy up                      everything on this machine, with the commands to paste\n"
    "  convoy demo                    eight nodes pull one image at once\n"
    "  convoy COMMAND --help          what a command does, with an example\n"
    "  convoy config reference agent  every key of a configuration";

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
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
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
