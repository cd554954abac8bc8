#pragma once

#include <string>

#include "cli/files.hpp"
#include "config/common_config.hpp"

namespace convoy::wiring {

/// The options of a role as its configuration says now. Errors: those of reading the file;
/// "reload_failed" with every fault.
template <class File, class Config, class Options>
Result<Options> reread(const std::string& path, config::Faults (*parse)(std::string_view, File&),
                       Config File::* member,
                       std::optional<Options> (*load)(const Config&, const std::string&,
                                                      config::Faults&)) {
  const auto text = cli::read_file(path, config::kMaxConfigBytes + 1);
  if (!text) return text.error();
  File file;
  config::Faults faults = parse(*text, file);
  if (faults.empty()) {
    auto options = load(file.*member, cli::folder_of(path), faults);
    if (options) return std::move(*options);
  }
  return invalid("reload_failed", "\n" + config::to_text(faults, path));
}

}  // namespace convoy::wiring
