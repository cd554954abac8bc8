#include <CLI/CLI.hpp>
#include <memory>

#include "commands/commands.hpp"

namespace convoy::commands {

namespace {

constexpr const char* kGroup = "The registry's store";
constexpr const char* kWhich =
    "\nA running registry is asked through its operations listener, with the token it left in\n"
    "admin.json of its data directory; the store of a stopped one is opened directly. Run it as "
    "the\n"
    "registry's user.\n";

void add_store_options(CLI::App* command, StoreArgs& args) {
  CLI::Option* config =
      command->add_option("-c,--config", args.config, "The registry's configuration")
          ->type_name("FILE");
  command->add_option("--data", args.data, "Its data directory (its rules are then not known here)")
      ->type_name("DIR")
      ->excludes(config);
  command->add_flag("--json", args.json, "For programs");
}

void add_gc(CLI::App& app, int& status) {
  CLI::App* gc = app.add_subcommand("gc", "Remove what nothing names any more");
  gc->group(kGroup);
  auto args = std::make_shared<UpkeepArgs>();
  add_store_options(gc, *args);
  gc->add_flag("--dry-run", args->dry_run,
               "Change nothing; say what would go, tag by tag, and why");
  gc->add_flag("--detach", args->detach, "Begin it in the running registry and do not wait");
  gc->footer(
      "Pushes and pulls go on meanwhile. In order: tags that no retention rule keeps; manifests\n"
      "without tag, index or subject that nobody used for gc.untagged_age; blobs that no manifest\n"
      "names, once their lease (gc.lease) is over; bytes that a crash left behind; empty\n"
      "repositories. What one run sets free, a later one removes when the lease is over.\n" +
      std::string(kWhich) +
      "\nExample:\n  convoy gc --config /etc/convoy/registry.toml --dry-run\n"
      "  convoy gc --config /etc/convoy/registry.toml");
  gc->callback([args, &status] { status = run_gc(*args); });
}

void add_scrub(CLI::App& app, int& status) {
  CLI::App* scrub = app.add_subcommand("scrub", "Hash every stored blob again");
  scrub->group(kGroup);
  auto args = std::make_shared<UpkeepArgs>();
  add_store_options(scrub, *args);
  scrub->add_flag("--dry-run", args->dry_run, "Report damage, quarantine nothing");
  scrub->add_flag("--detach", args->detach, "Begin it in the running registry and do not wait");
  scrub->footer(
      "A blob whose bytes do not match its digest, twice in a row, is moved to quarantine/ and "
      "from\n"
      "then on counts as missing, so that a push stores it anew. Exit status 1 when damage was "
      "found.\n"
      "A pass that is cut off goes on where it was.\n" +
      std::string(kWhich) + "\nExample:\n  convoy scrub --config /etc/convoy/registry.toml");
  scrub->callback([args, &status] { status = run_scrub(*args); });
}

void add_lists(CLI::App& app, int& status) {
  CLI::App* repo = app.add_subcommand("repo", "Repositories of the registry");
  repo->group(kGroup);
  repo->require_subcommand(1);
  auto repos = std::make_shared<StoreArgs>();
  CLI::App* repo_ls = repo->add_subcommand("ls", "Repositories, with what each holds");
  add_store_options(repo_ls, *repos);
  repo_ls->footer(kWhich + std::string("\nExample:\n  convoy repo ls -c registry.toml"));
  repo_ls->callback([repos, &status] { status = run_repo_ls(*repos); });

  CLI::App* tag = app.add_subcommand("tag", "Tags of a repository");
  tag->group(kGroup);
  tag->require_subcommand(1);
  auto tags = std::make_shared<StoreArgs>();
  auto repository = std::make_shared<std::string>();
  CLI::App* tag_ls = tag->add_subcommand("ls", "Tags, what they name, when pushed and pulled");
  add_store_options(tag_ls, *tags);
  tag_ls->add_option("REPOSITORY", *repository, "Its name, without a registry")->required();
  tag_ls->footer(kWhich + std::string("\nExample:\n  convoy tag ls -c registry.toml team/app"));
  tag_ls->callback([tags, repository, &status] { status = run_tag_ls(*tags, *repository); });

  CLI::App* du = app.add_subcommand("du", "What the store holds, and who holds it");
  du->group(kGroup);
  auto use = std::make_shared<StoreArgs>();
  add_store_options(du, *use);
  du->footer(
      "Each repository counts all it holds, so the sum is more than the store where they share "
      "blobs.\n" +
      std::string(kWhich) + "\nExample:\n  convoy du -c registry.toml");
  du->callback([use, &status] { status = run_du(*use); });
}

}  // namespace

void add_store_commands(CLI::App& app, int& status) {
  add_gc(app, status);
  add_scrub(app, status);
  add_lists(app, status);
}

}  // namespace convoy::commands
