#pragma once

#include <string>
#include <vector>

namespace convoy::cli {

/// Columns in line, two blanks apart, for a terminal. Control characters print as '?'. A
/// column whose heading begins with '>' stands to the right.
std::string text_table(const std::vector<std::string>& headings,
                       const std::vector<std::vector<std::string>>& rows);

/// "273.0 MiB".
std::string human_bytes(double bytes);

}  // namespace convoy::cli
