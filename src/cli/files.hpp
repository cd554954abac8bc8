#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::cli {

/// The whole file. Errors "file_read" (with the path and the reason), "file_too_large".
Result<std::string> read_file(const std::string& path, std::size_t limit = 1024 * 1024);

/// Written beside it, synced, then renamed over it: a reader sees the old or the new text.
/// `mode` holds whatever the umask. Error "file_write".
Status write_file(const std::string& path, std::string_view text, unsigned mode);

/// Made if missing, with its parents, mode 0700. Error "folder_make".
Status make_folder(const std::string& path);

bool exists(const std::string& path);

/// `path` as seen from `folder`, unless it is absolute.
std::string resolve(std::string_view folder, std::string_view path);

/// The folder a file is in: "." for a bare name.
std::string folder_of(std::string_view path);

}  // namespace convoy::cli
