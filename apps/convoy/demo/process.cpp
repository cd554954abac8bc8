#include "demo/process.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "demo/files.hpp"

namespace convoy::demo {
namespace {

/// In the child, between fork and exec: async-signal-safe calls alone.
[[noreturn]] void exec_child(char* const* argv, char* const* env, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::execvpe(argv[0], argv, env);
  ::_exit(127);
}

std::vector<std::string> merged_env(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> all;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry(*e);
    if (!extra.contains(std::string(entry.substr(0, entry.find('='))))) all.emplace_back(entry);
  }
  for (const auto& [key, value] : extra) all.push_back(key + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (auto& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Result<Process> Process::start(const Spec& spec) {
  const int log = ::open(spec.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return internal_error("spawn_failed", spec.log.string());
  auto args = spec.argv;
  auto env = merged_env(spec.env);
  const auto argv = pointers(args);
  const auto envp = pointers(env);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) exec_child(argv.data(), envp.data(), log, parent);
  const int why = errno;
  ::close(log);
  if (pid < 0) return internal_error("spawn_failed", args[0] + ": " + std::strerror(why));
  return Process(pid, spec.log);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_), log_(std::move(other.log_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  std::swap(log_, other.log_);
  return *this;
}

Process::~Process() {
  if (pid_ < 0 || status_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::optional<int> Process::poll() {
  if (status_ || pid_ < 0) return status_;
  int raw = 0;
  if (::waitpid(pid_, &raw, WNOHANG) == pid_) {
    status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  }
  return status_;
}

void Process::stop(std::chrono::milliseconds grace) {
  if (pid_ < 0 || poll()) return;
  ::kill(pid_, SIGTERM);
  constexpr auto kStep = std::chrono::milliseconds(10);
  for (auto waited = kStep; !poll() && waited < grace; waited += kStep) {
    std::this_thread::sleep_for(kStep);
  }
  if (poll()) return;
  ::kill(pid_, SIGKILL);
  int raw = 0;
  ::waitpid(pid_, &raw, 0);
  status_ = 128 + SIGKILL;
}

std::string log_tail(const std::filesystem::path& path, std::size_t lines) {
  const auto text = read_file(path, 256 << 20);
  if (!text) return {};
  std::size_t at = text->size();
  for (std::size_t n = 0; n <= lines && at > 0 && at != std::string::npos; ++n) {
    at = text->rfind('\n', at - 1);
  }
  return at == std::string::npos || at == 0 ? *text : text->substr(at + 1);
}

}  // namespace convoy::demo
