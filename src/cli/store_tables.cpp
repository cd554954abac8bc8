#include "cli/store_tables.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "cli/text_table.hpp"
#include "wire/json.hpp"

namespace convoy::cli {

namespace {

namespace json = boost::json;

Error bad_answer() {
  return invalid("store_answer_invalid", "not what a registry's administration answers");
}

Result<json::object> parse(std::string_view text) {
  auto parsed = wire::parse_json_object(text, {.max_bytes = 64 * 1024 * 1024, .max_depth = 8});
  if (!parsed) return bad_answer();
  return parsed;
}

double number(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  return value->to_number<double>();
}

std::string count(const json::object& object, const char* key) {
  return fmt::format("{:.0f}", number(object, key));
}

std::string text_of(const json::object& object, const char* key) {
  return wire::json_string(object, key).value_or("-");
}

const json::array& list_of(const json::object& object, const char* key) {
  static const json::array none;
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->as_array() : none;
}

JobLine line_of(const json::object& answer) {
  JobLine line;
  const std::string state = text_of(answer, "state");
  line.running = state == "running";
  line.failed = state == "failed";
  return line;
}

bool dry(const json::object& answer) { return wire::json_bool(answer, "dry_run").value_or(false); }

}  // namespace

Result<JobLine> collection_line(std::string_view text) {
  auto answer = parse(text);
  if (!answer) return std::move(answer).error();
  JobLine line = line_of(*answer);
  line.text = fmt::format("{}: {} examined, {} tags, {} manifests, {} blobs ({})",
                          text_of(*answer, "phase"), count(*answer, "examined"),
                          count(*answer, "tags"), count(*answer, "manifests"),
                          count(*answer, "blobs"), human_bytes(number(*answer, "blob_bytes")));
  return line;
}

Result<JobLine> scrub_line(std::string_view text) {
  auto answer = parse(text);
  if (!answer) return std::move(answer).error();
  JobLine line = line_of(*answer);
  line.found_damage = !list_of(*answer, "bad").empty();
  line.text = fmt::format("{:.0f} %: {} blobs, {}, {} damaged", 100 * number(*answer, "progress"),
                          count(*answer, "blobs"), human_bytes(number(*answer, "bytes")),
                          list_of(*answer, "bad").size());
  return line;
}

Result<std::string> collection_report(std::string_view text) {
  auto answer = parse(text);
  if (!answer) return std::move(answer).error();
  std::vector<std::vector<std::string>> tags;
  for (const json::value& row : list_of(*answer, "retention")) {
    if (!row.is_object()) continue;
    const json::object& tag = row.as_object();
    const bool keep = wire::json_bool(tag, "keep").value_or(true);
    tags.push_back({keep ? "keep" : "remove", text_of(tag, "repository"), text_of(tag, "tag"),
                    text_of(tag, "reason")});
  }
  std::string out;
  if (!tags.empty()) out += text_table({"RETENTION", "REPOSITORY", "TAG", "BECAUSE"}, tags) + "\n";
  const char* verb = dry(*answer) ? "would remove" : "removed";
  out += fmt::format("{} {} tags, {} manifests, {} links of blobs to repositories ({})\n", verb,
                     count(*answer, "tags"), count(*answer, "manifests"), count(*answer, "links"),
                     human_bytes(number(*answer, "link_bytes")));
  out += fmt::format("{} {} blobs of the store, {}", verb, count(*answer, "blobs"),
                     human_bytes(number(*answer, "blob_bytes")));
  if (number(*answer, "orphans") > 0) {
    out += fmt::format(", {} of them left behind by a crash", count(*answer, "orphans"));
  }
  out += "\n";
  if (const auto error = wire::json_string(*answer, "error")) out += "failed: " + *error + "\n";
  return out;
}

Result<std::string> scrub_report(std::string_view text) {
  auto answer = parse(text);
  if (!answer) return std::move(answer).error();
  std::vector<std::vector<std::string>> rows;
  for (const json::value& row : list_of(*answer, "bad")) {
    if (row.is_object()) {
      rows.push_back({text_of(row.as_object(), "digest"), text_of(row.as_object(), "reason")});
    }
  }
  std::string out;
  if (!rows.empty()) out += text_table({"DAMAGED", "REASON"}, rows) + "\n";
  out += fmt::format("{} blobs, {} hashed, {} damaged, {} hash trees made anew\n",
                     count(*answer, "blobs"), human_bytes(number(*answer, "bytes")), rows.size(),
                     count(*answer, "leaves_mended"));
  if (const auto error = wire::json_string(*answer, "error")) out += "failed: " + *error + "\n";
  return out;
}

Result<ListPage> repository_rows(std::string_view text) {
  auto answer = parse(text);
  if (!answer) return std::move(answer).error();
  ListPage page;
  for (const json::value& row : list_of(*answer, "repositories")) {
    if (!row.is_object()) return bad_answer();
    const json::object& r = row.as_object();
    page.last = text_of(r, "name");
    page.rows.push_back({page.last, count(r, "tags"), count(r, "manifests"), count(r, "blobs"),
                         human_bytes(number(r, "bytes"))});
  }
  return page;
}

Result<ListPage> tag_rows(std::string_view text) {
  auto answer = parse(text);
  if (!answer) return std::move(answer).error();
  ListPage page;
  for (const json::value& row : list_of(*answer, "tags")) {
    if (!row.is_object()) return bad_answer();
    const json::object& t = row.as_object();
    page.last = text_of(t, "name");
    page.rows.push_back({page.last, text_of(t, "digest"), text_of(t, "pushed"),
                         wire::json_string(t, "pulled").value_or("never")});
  }
  return page;
}

Result<std::string> usage_summary(std::string_view text) {
  auto answer = parse(text);
  if (!answer) return std::move(answer).error();
  std::string out = fmt::format(
      "{} in {} blobs, {} manifests, {} repositories; shared blobs counted for each: {}\n",
      human_bytes(number(*answer, "blob_bytes")), count(*answer, "blobs"),
      count(*answer, "manifests"), count(*answer, "repositories"),
      human_bytes(number(*answer, "linked_bytes")));
  if (number(*answer, "condemned") > 0) {
    out += fmt::format("{} blobs wait for the next collection\n", count(*answer, "condemned"));
  }
  for (const json::value& row : list_of(*answer, "quarantined")) {
    if (!row.is_object()) return bad_answer();
    out += fmt::format("quarantined: {} ({}, {})\n", text_of(row.as_object(), "digest"),
                       text_of(row.as_object(), "reason"), text_of(row.as_object(), "found"));
  }
  return out;
}

}  // namespace convoy::cli
