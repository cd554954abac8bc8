#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace convoy::demo {

/// A child process with its output in a file. Killed when the object dies, and by the kernel
/// when this process does.
class Process {
 public:
  struct Spec {
    std::vector<std::string> argv;
    std::filesystem::path log;               ///< stdout and stderr, appended
    std::map<std::string, std::string> env;  ///< besides the inherited ones
  };
  /// Error "spawn_failed" names the program.
  static Result<Process> start(const Spec&);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  /// The exit status once it is over (128 + signal when killed), without waiting.
  std::optional<int> poll();
  /// SIGTERM, then SIGKILL after `grace`.
  void stop(std::chrono::milliseconds grace);
  const std::filesystem::path& log() const { return log_; }

 private:
  Process(pid_t pid, std::filesystem::path log) : pid_(pid), log_(std::move(log)) {}
  pid_t pid_ = -1;
  std::optional<int> status_;
  std::filesystem::path log_;
};

/// The last lines of a log, for an error message.
std::string log_tail(const std::filesystem::path&, std::size_t lines = 5);

}  // namespace convoy::demo
