#include "cli/status_table.hpp"

#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <vector>

#include "cli/text_table.hpp"
#include "wire/json.hpp"

namespace convoy::cli {

namespace {

namespace json = boost::json;

constexpr std::array<const char*, 4> kSources = {"peers", "origin", "cache", "registry"};

double number(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  return value->to_number<double>();
}

std::string short_digest(const std::string& digest) {
  constexpr std::size_t kShown = 12;
  const std::size_t colon = digest.find(':');
  return colon == std::string::npos ? digest.substr(0, kShown) : digest.substr(colon + 1, kShown);
}

struct Totals {
  std::array<double, 4> bytes{};
  std::size_t pulls = 0;
  std::size_t running = 0;
};

/// `totals`: null for a pull that is under way.
std::vector<std::string> row_of(const json::object& pull, Totals* totals) {
  const auto text = [&](const char* key) { return wire::json_string(pull, key).value_or("-"); };
  std::vector<std::string> row = {text("repository"), short_digest(text("digest")),
                                  human_bytes(number(pull, "size"))};
  const json::value* bytes = pull.if_contains("bytes");
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    const double n =
        bytes != nullptr && bytes->is_object() ? number(bytes->as_object(), kSources[i]) : 0;
    if (totals != nullptr) totals->bytes[i] += n;
    row.push_back(n == 0 ? "-" : human_bytes(n));
  }
  const double seconds = number(pull, "seconds");
  row.push_back(fmt::format("{:.2f} s", seconds));
  row.push_back(text(totals == nullptr ? "state" : "outcome"));
  if (totals != nullptr) ++totals->pulls;
  return row;
}

std::string percent(double part, double whole) {
  const double share = 100 * part / whole;
  return share < 1 ? "less than 1 %" : fmt::format("{:.0f} %", share);
}

std::string summary(const Totals& totals) {
  double all = 0;
  for (const double n : totals.bytes) all += n;
  std::string out = "\n";
  if (totals.running > 0) out += fmt::format("{} under way, ", totals.running);
  out += fmt::format("{} pulls, {}", totals.pulls, human_bytes(all));
  const char* separator = ": ";
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    if (totals.bytes[i] == 0) continue;
    out += separator + percent(totals.bytes[i], all) + " from " + kSources[i];
    separator = ", ";
  }
  return out + "\n";
}

}  // namespace

Result<std::string> status_table(std::string_view text) {
  const auto parsed = wire::parse_json_object(text);
  if (!parsed) return invalid("status_invalid", "not what an agent answers");
  const json::value* pulls = parsed->if_contains("pulls");
  if (pulls == nullptr || !pulls->is_array()) {
    return invalid("status_invalid", "not what an agent answers");
  }
  const json::value* running = parsed->if_contains("running");
  const bool listed = running != nullptr && running->is_array();
  if (pulls->as_array().empty() && (!listed || running->as_array().empty())) {
    return std::string("no pulls yet\n");
  }
  Totals totals;
  std::vector<std::vector<std::string>> rows;
  if (listed) {
    for (const json::value& pull : running->as_array()) {
      if (pull.is_object()) rows.push_back(row_of(pull.as_object(), nullptr));
    }
  }
  totals.running = rows.size();
  for (const json::value& pull : pulls->as_array()) {
    if (pull.is_object()) rows.push_back(row_of(pull.as_object(), &totals));
  }
  return text_table({"REPOSITORY", "BLOB", ">SIZE", ">PEERS", ">ORIGIN", ">CACHE", ">REGISTRY",
                     ">TIME", "STATE"},
                    rows) +
         summary(totals);
}

}  // namespace convoy::cli
