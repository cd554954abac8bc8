#include "registry/core/memory_use.hpp"

#include <algorithm>
#include <fstream>
#include <malloc.h>
#include <unistd.h>

namespace convoy::registry {
namespace {

/// Code, stacks and the database's pages are resident as well.
constexpr std::uint64_t kWorthGiving = 64 * 1024 * 1024;

/// Version 2 is the line "0::/path".
std::string cgroup_of(const std::string& proc_self) {
  std::ifstream file(proc_self + "/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return "/";
}

}  // namespace

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t give_back_memory() {
  const struct mallinfo2 heap = ::mallinfo2();
  const std::uint64_t used = heap.uordblks + heap.hblkhd;
  const std::uint64_t before = resident_bytes();
  if (before < used + kWorthGiving) return 0;
  ::malloc_trim(0);
  const std::uint64_t after = resident_bytes();
  return before - std::min(before, after);
}

std::optional<std::uint64_t> cgroup_memory_limit(const std::string& proc_self,
                                                 const std::string& mount) {
  std::optional<std::uint64_t> least;
  for (std::string path = cgroup_of(proc_self);; path.erase(path.rfind('/'))) {
    std::ifstream file(mount + path + "/memory.max");
    std::uint64_t bytes = 0;
    if (file >> bytes) least = std::min(least.value_or(bytes), bytes);  // "max" is no number
    if (path.empty()) return least;
  }
}

}  // namespace convoy::registry
