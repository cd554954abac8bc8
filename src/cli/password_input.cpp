#include "cli/password_input.hpp"

#include <cstdio>
#include <termios.h>
#include <unistd.h>

namespace convoy::cli {

namespace {

constexpr std::size_t kShortest = 8;
constexpr std::size_t kLongest = 128;

/// Switches the terminal's echo off for as long as it lives.
class NoEcho {
 public:
  NoEcho() : active_(::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!active_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~NoEcho() {
    if (!active_) return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::fputs("\n", stderr);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  bool terminal() const { return active_; }

 private:
  termios before_{};
  bool active_;
};

}  // namespace

Result<Secret> read_password(const std::string& prompt) {
  const NoEcho no_echo;
  if (no_echo.terminal()) std::fputs(prompt.c_str(), stderr);
  std::string line;
  char c = 0;
  while (line.size() <= kLongest && ::read(STDIN_FILENO, &c, 1) == 1 && c != '\n') line += c;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  Secret password(std::move(line));
  if (password.reveal().size() < kShortest || password.reveal().size() > kLongest) {
    return invalid("password_unfit", "a password has 8 to 128 bytes; give it on standard input");
  }
  return password;
}

}  // namespace convoy::cli
