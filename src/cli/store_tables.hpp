#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// What the registry's administration answers (docs/protocols/registry-admin.md), for people. All
// errors are "store_answer_invalid".
namespace convoy::cli {

/// How a collection or scrub stands, in one line without its end; `running` from the answer.
struct JobLine {
  std::string text;
  bool running = false;
  bool failed = false;
  bool found_damage = false;
};
Result<JobLine> collection_line(std::string_view json);
Result<JobLine> scrub_line(std::string_view json);

/// The end of one, with what retention decided and what a scrub found bad.
Result<std::string> collection_report(std::string_view json);
Result<std::string> scrub_report(std::string_view json);

/// Rows of one page, and where the next begins; "" at the end.
struct ListPage {
  std::vector<std::vector<std::string>> rows;
  std::string last;
};
Result<ListPage> repository_rows(std::string_view json);
Result<ListPage> tag_rows(std::string_view json);
Result<std::string> usage_summary(std::string_view json);

}  // namespace convoy::cli
