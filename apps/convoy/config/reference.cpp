#include "config/reference.hpp"

#include "config/agent_config.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"

namespace convoy::config {

namespace {

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

void add_key(std::string& out, const Key& key) {
  out += "| `" + key.name + "` | " + key.type;
  if (!key.constraint.empty()) out += ", " + key.constraint;
  out += " | " + (key.required           ? "**required**"
                  : key.fallback.empty() ? "none"
                                         : code(key.fallback));
  out += " | " + key.sentence + " |\n";
}

void add_table(std::string& out, const Table& table, const std::string& path) {
  const std::string full = path.empty() ? table.name : path + "." + table.name;
  if (!full.empty()) {
    out +=
        "### `" + std::string(table.list ? "[[" : "[") + full + (table.list ? "]]" : "]") + "`\n\n";
    if (table.list) out += "Any number of times. ";
    if (!table.sentence.empty() || table.list) out += table.sentence + "\n\n";
  }
  if (!table.keys.empty()) {
    out += "| key | type | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const Key& key : table.keys) add_key(out, key);
    out += "\n";
  }
  for (const Table& inner : table.tables) add_table(out, inner, full);
}

constexpr std::string_view kIntroduction =
    R"(<!-- Made by `convoy config reference`; change apps/convoy/config instead. -->
# Configuration

One TOML file for each role: `convoy registry|tracker|agent --config FILE`. Keys that do not exist are
errors, and all faults of a file are reported together, each with its line and what to do;
`--check-config` stops after that (exit status 2 when there is one).

- Durations and sizes have a unit: `"10s"`, `"5m"`, `"24h"`; `"64KiB"`, `"4MiB"`, `"1GB"`; rates are
  `"50MB/s"`, `"400Mbit/s"` or `"unlimited"`.
- Addresses are an IP address and a port. Port 0 takes a free one.
- Paths that do not begin with `/` count from the folder of the configuration file.
- Secrets never stand in a configuration. A key ending in `_file` names the file that holds it (mode
  0600), or, for passwords and tokens, `"env:NAME"` the environment variable.

)";

}  // namespace

std::string reference(const Table& root, const std::string& role) {
  std::string out = "## convoy " + role + "\n\n";
  for (const Table& table : root.tables) add_table(out, table, "");
  return out;
}

std::string reference_page() {
  std::string out(kIntroduction);
  out += reference(registry_table(), "registry");
  out += reference(tracker_table(), "tracker");
  out += reference(agent_table(), "agent");
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace convoy::config
