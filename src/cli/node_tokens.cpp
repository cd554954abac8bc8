#include "cli/node_tokens.hpp"

#include "cli/text_table.hpp"

namespace convoy::cli {

std::string join_token_table(const std::vector<security::JoinTokenRecord>& records, UnixTime now) {
  if (records.empty()) return "no join tokens\n";
  std::vector<std::vector<std::string>> rows;
  for (const security::JoinTokenRecord& r : records) {
    const std::string state = !r.used_by.empty() ? "used by " + r.used_by
                              : now >= r.expires ? "expired"
                                                 : "fresh";
    rows.push_back({r.id, std::string(to_string(r.kind)), r.name.empty() ? "any" : r.name,
                    r.zone.empty() ? "-" : r.zone, to_rfc3339(r.expires), state});
  }
  return text_table({"ID", "KIND", "NAME", "ZONE", "EXPIRES", "STATE"}, rows);
}

}  // namespace convoy::cli
