#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::security::detail {

/// A file of mode 0600 that several processes share, held by a lock file beside it: nobody else
/// reads or writes it meanwhile. Every error is unavailable, with the given code.
class LockedFile {
 public:
  /// The file need not exist yet, its folder must. Waits for the lock.
  static Result<LockedFile> open(const std::string& path, std::string_view code);

  /// Nothing when there is none yet.
  Result<std::optional<Bytes>> read(std::size_t max_bytes) const;
  /// Atomically and durably.
  Status write(std::string_view text) const;
  Error broken(std::string detail) const;

 private:
  explicit LockedFile(std::string_view code) : code_(code) {}
  Error broken(const Error& cause) const { return broken(cause.text()); }

  std::string code_;
  std::string name_;
  storage::Fd dir_;
  storage::Fd lock_;
};

}  // namespace convoy::security::detail
