#include "wiring/runtime.hpp"

#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "support/storage_dir.hpp"

namespace convoy::wiring {
namespace {

/// No file of this process grows as long as it lives.
class NoRoom {
 public:
  NoRoom() {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    rlimit tight = before_;
    tight.rlim_cur = 0;
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  }
  ~NoRoom() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;

 private:
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before_{};
};

TEST(Runtime, IsNotReadyAsLongAsTheAuditCannotBeWritten) {
  const test::TempDir dir;
  auto made = Runtime::make(LogLevel::off, STDERR_FILENO, dir / "audit.log");
  ASSERT_TRUE(made.ok());
  Runtime& runtime = **made;
  EXPECT_EQ(runtime.not_ready(), std::nullopt);
  EXPECT_NE(runtime.metrics->text().find("convoy_audit_write_failures_total 0"), std::string::npos);
  {
    const NoRoom room;
    runtime.audit->record({});
    EXPECT_EQ(runtime.not_ready().value_or("").find("audit: " + dir / "audit.log"), 0u);
    EXPECT_EQ(runtime.metrics->text().find("convoy_audit_write_failures_total 0"),
              std::string::npos);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (runtime.not_ready() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(runtime.not_ready(), std::nullopt);
}

}  // namespace
}  // namespace convoy::wiring
