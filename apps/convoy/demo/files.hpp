#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace convoy::demo {

/// Reads a whole file of at most `limit` bytes. Errors "file_read", "file_too_large".
Result<std::string> read_file(const std::filesystem::path&, std::size_t limit = 16 << 20);
/// Writes a file, readable by its owner alone. Error "file_write".
Status write_file(const std::filesystem::path&, std::string_view text);

/// A fresh directory below $TMPDIR (or /var/tmp, which is on a disk), removed with all it
/// holds when the object dies, unless keep() was called.
class Workspace {
 public:
  /// `needed`: bytes that must be free there. Errors "workspace", "disk_full".
  static Result<Workspace> make(std::uint64_t needed);
  /// Uses a directory of the user's, made if missing, and keeps it.
  static Result<Workspace> at(const std::filesystem::path&);
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) = delete;
  ~Workspace();

  const std::filesystem::path& root() const { return root_; }
  void keep() { keep_ = true; }

 private:
  Workspace(std::filesystem::path root, bool keep) : root_(std::move(root)), keep_(keep) {}
  std::filesystem::path root_;
  bool keep_ = false;
};

}  // namespace convoy::demo
