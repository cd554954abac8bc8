#include "demo/files.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace convoy::demo {
namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path, std::size_t limit) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return not_found("file_read", path.string());
  const auto size = static_cast<std::size_t>(in.tellg());
  if (size > limit) return too_large("file_too_large", path.string());
  std::string text(size, '\0');
  in.seekg(0);
  if (!in.read(text.data(), static_cast<std::streamsize>(size))) {
    return internal_error("file_read", path.string());
  }
  return text;
}

Status write_file(const fs::path& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return internal_error("file_write", path.string() + ": " + std::strerror(errno));
  bool ok = true;
  while (ok && !text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    ok = n > 0;
    if (ok) text.remove_prefix(static_cast<std::size_t>(n));
  }
  ok = ::close(fd) == 0 && ok;
  if (!ok) return internal_error("file_write", path.string());
  return {};
}

Result<Workspace> Workspace::make(std::uint64_t needed) {
  const char* base = std::getenv("TMPDIR");
  std::string name =
      std::string(base != nullptr && *base != '\0' ? base : "/var/tmp") + "/convoy-demo-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    return internal_error("workspace", name + ": " + std::strerror(errno));
  }
  Workspace made(name, false);
  std::error_code ec;
  const auto space = fs::space(name, ec);
  if (!ec && space.available < needed) {
    return exhausted(
        "disk_full",
        fmt::format("the demo needs {} MiB below {}, {} MiB are free; point TMPDIR "
                    "at a larger disk or use a smaller --size",
                    needed >> 20, fs::path(name).parent_path().string(), space.available >> 20));
  }
  return made;
}

Result<Workspace> Workspace::at(const fs::path& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) return internal_error("workspace", path.string() + ": " + ec.message());
  if (!fs::is_empty(path, ec) || ec) {
    return conflict("workspace", path.string() + " is not empty");
  }
  return Workspace(fs::absolute(path), true);
}

Workspace::Workspace(Workspace&& other) noexcept
    : root_(std::move(other.root_)), keep_(other.keep_) {
  other.keep_ = true;
}

Workspace::~Workspace() {
  if (keep_) return;
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

}  // namespace convoy::demo
