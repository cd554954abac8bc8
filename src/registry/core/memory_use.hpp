#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace convoy::registry {

/// Bytes of this process in memory; 0 when the kernel does not say.
std::uint64_t resident_bytes();

/// Gives the system back what is free and was kept for later, unless it is little. How many bytes
/// resident_bytes() became less. Whoever allocates meanwhile may wait, some milliseconds for each
/// 100 MiB. From any thread.
std::uint64_t give_back_memory();

/// The smallest memory.max of the process's control group (version 2) and those above it; nothing
/// when none is set. The folders are parameters for tests.
std::optional<std::uint64_t> cgroup_memory_limit(const std::string& proc_self = "/proc/self",
                                                 const std::string& mount = "/sys/fs/cgroup");

}  // namespace convoy::registry
