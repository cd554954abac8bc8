#include <cstdio>
#include <functional>
#include <unistd.h>
#include <utility>

#include "cli/files.hpp"
#include "cli/store_tables.hpp"
#include "cli/text_table.hpp"
#include "commands/commands.hpp"
#include "config/registry_config.hpp"
#include "wire/http/message.hpp"
#include "wiring/load_options.hpp"
#include "wiring/store_link.hpp"

namespace convoy::commands {

namespace {

using LinkPtr = std::unique_ptr<wiring::StoreLink>;

int fail(const std::string& command, const std::string& why) {
  std::fprintf(stderr, "convoy %s: %s\n", command.c_str(), why.c_str());
  return kFailed;
}

/// Null after it said what is wrong; `status` then.
LinkPtr open_link(const std::string& command, const StoreArgs& args, int& status) {
  std::string data = args.data;
  registry::CollectRules rules;
  std::vector<registry::Project> projects;
  status = kUsage;
  if (args.config.empty() && data.empty()) {
    std::fprintf(stderr, "convoy %s: say --config FILE or --data DIR\n", command.c_str());
    return nullptr;
  }
  if (!args.config.empty()) {
    const auto text = cli::read_file(args.config, config::kMaxConfigBytes + 1);
    if (!text) {
      std::fprintf(stderr, "convoy %s: %s\n", command.c_str(), text.error().detail().c_str());
      return nullptr;
    }
    config::RegistryFile file;
    const config::Faults faults = config::parse_registry(*text, file);
    if (!faults.empty()) {
      std::fputs(config::to_text(faults, args.config).c_str(), stderr);
      return nullptr;
    }
    data = cli::resolve(cli::folder_of(args.config), file.registry.data_dir.text);
    rules = wiring::upkeep_of(file.registry).rules;
    projects = wiring::projects_of(file.registry);
  }
  auto link = wiring::open_store_link(data, std::move(projects), rules);
  if (link) return std::move(*link);
  status = fail(command, link.error().text());
  return nullptr;
}

Result<std::string> ask(wiring::StoreLink& link, const std::string& method, const std::string& path,
                        const std::string& body = {}) {
  auto reply = link.ask(method, path, body);
  if (!reply) return std::move(reply).error();
  if (reply->status == 409) {
    return conflict("already_running", "one runs already");
  }
  if (reply->status / 100 != 2) {
    return unavailable("admin_status",
                       "answered " + std::to_string(reply->status) + " " + reply->body);
  }
  return std::move(reply->body);
}

/// One line on a terminal, written over again and again.
void show_progress(const std::string& text) {
  if (::isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "\r\033[K%s", text.c_str());
}
void end_progress() {
  if (::isatty(STDERR_FILENO) == 1) std::fputs("\r\033[K", stderr);
}

struct JobKind {
  std::string name;
  Result<cli::JobLine> (*line)(std::string_view);
  Result<std::string> (*report)(std::string_view);
};

int run_job(const JobKind& kind, const UpkeepArgs& args) {
  int status = kOk;
  const LinkPtr link = open_link(kind.name, args, status);
  if (!link) return status;
  const std::string order = args.dry_run ? R"({"dry_run":true})" : R"({"dry_run":false})";
  auto answer = ask(*link, "POST", kind.name, order);
  if (!answer) return fail(kind.name, answer.error().text());
  if (args.detach && link->running()) {
    std::puts("begun");
    return kOk;
  }
  for (;;) {
    auto line = kind.line(*answer);
    if (!line) return fail(kind.name, line.error().text());
    if (!line->running) break;
    show_progress(line->text);
    link->wait();
    answer = ask(*link, "GET", kind.name);
    if (!answer) return fail(kind.name, answer.error().text());
  }
  end_progress();
  const auto line = kind.line(*answer);
  if (args.json) {
    std::printf("%s\n", answer->c_str());
  } else {
    const auto report = kind.report(*answer);
    if (!report) return fail(kind.name, report.error().text());
    std::fputs(report->c_str(), stdout);
  }
  return line->failed || line->found_damage ? kFailed : kOk;
}

/// Page by page, so that a registry of any size is listed in bounded memory.
int list_pages(const std::string& command, wiring::StoreLink& link, const std::string& path,
               const std::vector<std::string>& headings,
               Result<cli::ListPage> (*rows)(std::string_view), bool as_json) {
  std::string last;
  bool first = true;
  for (;;) {
    auto answer = ask(link, "GET", path + "n=1000&last=" + http::percent_encode(last));
    if (!answer) return fail(command, answer.error().text());
    const auto page = rows(*answer);
    if (!page) return fail(command, page.error().text());
    if (page->rows.empty() && !first) return kOk;
    if (as_json) {
      std::printf("%s\n", answer->c_str());
    } else {
      std::fputs(cli::text_table(headings, page->rows).c_str(), stdout);
    }
    first = false;
    if (page->rows.size() < 1000) return kOk;
    last = page->last;
  }
}

int list_repositories(const std::string& command, wiring::StoreLink& link, bool as_json) {
  return list_pages(command, link, "repositories?",
                    {"REPOSITORY", ">TAGS", ">MANIFESTS", ">BLOBS", ">SIZE"}, cli::repository_rows,
                    as_json);
}

}  // namespace

int run_gc(const UpkeepArgs& args) {
  return run_job({"gc", cli::collection_line, cli::collection_report}, args);
}

int run_scrub(const UpkeepArgs& args) {
  return run_job({"scrub", cli::scrub_line, cli::scrub_report}, args);
}

int run_repo_ls(const StoreArgs& args) {
  int status = kOk;
  const LinkPtr link = open_link("repo ls", args, status);
  return link ? list_repositories("repo ls", *link, args.json) : status;
}

int run_tag_ls(const StoreArgs& args, const std::string& repository) {
  int status = kOk;
  const LinkPtr link = open_link("tag ls", args, status);
  if (!link) return status;
  return list_pages("tag ls", *link, "tags?repository=" + http::percent_encode(repository) + "&",
                    {"TAG", "DIGEST", "PUSHED", "PULLED"}, cli::tag_rows, args.json);
}

int run_du(const StoreArgs& args) {
  int status = kOk;
  const LinkPtr link = open_link("du", args, status);
  if (!link) return status;
  auto usage = ask(*link, "GET", "usage");
  if (!usage) return fail("du", usage.error().text());
  if (args.json) {
    std::printf("%s\n", usage->c_str());
    return kOk;
  }
  status = list_repositories("du", *link, false);
  const auto summary = cli::usage_summary(*usage);
  if (!summary) return fail("du", summary.error().text());
  std::printf("\n%s", summary->c_str());
  return status;
}

}  // namespace convoy::commands
