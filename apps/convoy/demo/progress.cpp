#include "demo/progress.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace convoy::demo {

Progress::Progress(const Clock& clock)
    : clock_(clock), terminal_(::isatty(STDERR_FILENO) == 1), start_(clock.steady()) {}

void Progress::step(std::string_view what) {
  what_ = what;
  start_ = clock_.steady();
  if (terminal_) update("");
}

void Progress::update(std::string_view detail) {
  if (!terminal_) return;
  const std::chrono::duration<double> seconds = clock_.steady() - start_;
  fmt::print(stderr, "\r\033[K  {:<40} {:>6.1f} s  {}", what_, seconds.count(), detail);
  std::fflush(stderr);
}

void Progress::done(std::string_view result) {
  const std::chrono::duration<double> seconds = clock_.steady() - start_;
  fmt::print(stderr, "{}  {:<40} {:>6.1f} s  {}\n", terminal_ ? "\r\033[K" : "", what_,
             seconds.count(), result);
}

}  // namespace convoy::demo
