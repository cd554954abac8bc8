#include <algorithm>
#include <atomic>
#include <boost/json/object.hpp>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

#include "security/audit/file_audit_log.hpp"
#include "support/failing_disk.hpp"
#include "support/manual_clock.hpp"
#include "support/storage_dir.hpp"
#include "support/text_log.hpp"
#include "wire/json.hpp"

namespace convoy::security {
namespace {

AuditEvent refusal(std::string reason) {
  AuditEvent e;
  e.action = "ticket.refuse";
  e.outcome = AuditOutcome::refused;
  e.actor = "alice";
  e.node = "spiffe://example.org/cluster/c1/node/a";
  e.remote_ip = "10.0.0.7";
  e.reason = std::move(reason);
  return e;
}

class AuditFile : public testing::Test {
 protected:
  std::unique_ptr<FileAuditLog> open() { return FileAuditLog::open(path_, clock_).value(); }
  std::string text() {
    std::ifstream in(path_);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  void put(std::string_view content) { std::ofstream(path_, std::ios::trunc) << content; }

  test::TempDir dir_;
  std::string path_ = dir_ / "audit.jsonl";
  test::ManualClock clock_;
};

TEST_F(AuditFile, ALineSaysWhatHappened) {
  auto event = refusal("ticket_expired");
  event.extra = {{"bytes", "7"}, {"empty", ""}};
  open()->record(event);
  const std::string line = text();
  const auto o = wire::parse_json_object(line.substr(0, line.size() - 1)).value();
  EXPECT_EQ(wire::json_int(o, "seq"), 1);
  EXPECT_EQ(wire::json_string(o, "time"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(wire::json_string(o, "action"), "ticket.refuse");
  EXPECT_EQ(wire::json_string(o, "outcome"), "refused");
  EXPECT_EQ(wire::json_string(o, "actor"), "alice");
  EXPECT_EQ(wire::json_string(o, "remote_ip"), "10.0.0.7");
  EXPECT_EQ(wire::json_string(o, "reason"), "ticket_expired");
  EXPECT_FALSE(o.contains("digest")) << "what does not apply is left out";
  EXPECT_EQ(wire::json_string(o.at("extra").as_object(), "bytes"), "7");
  struct stat st{};
  ASSERT_EQ(::stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST_F(AuditFile, CountsOnOverRestarts) {
  open()->record(refusal("a"));
  {
    const auto log = open();
    log->record(refusal("b"));
    log->record(refusal("c"));
    EXPECT_FALSE(log->trouble());
  }
  EXPECT_EQ(verify_audit_chain(text()).value(), 3u);
}

TEST_F(AuditFile, OutsidersTextCannotForgeOrBreakALine) {
  AuditEvent event = refusal("x");
  event.actor = "a\n{\"seq\":2,\"action\":\"ticket.grant\"}\n";
  event.repository = std::string("nul\0quote\"back\\", 15);
  event.remote_ip = "\xff\xfe";
  event.extra = {
      {"action", "forged"}, {"same", "1"}, {"same", "2"}, {"k\"", std::string(100'000, '\1')}};
  open()->record(event);
  open()->record(event);
  const std::string all = text();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2);
  EXPECT_EQ(verify_audit_chain(all).value(), 2u);
}

TEST_F(AuditFile, ALineAtAllItsLimitsIsStillReadBack) {
  AuditEvent event;
  const std::string worst(10'000, '\1');
  event.action = event.actor = event.node = event.remote_ip = worst;
  event.digest = event.repository = event.reason = event.request_id = worst;
  for (int i = 0; i < 100; ++i) event.extra.emplace_back(std::to_string(i) + worst, worst);
  open()->record(event);
  open()->record(event);
  EXPECT_EQ(verify_audit_chain(text()).value(), 2u);
}

TEST_F(AuditFile, ManyThreadsMakeOneChain) {
  {
    const auto log = open();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) log->record(refusal("r"));
      });
    }
    for (auto& t : threads) t.join();
  }
  EXPECT_EQ(verify_audit_chain(text()).value(), 400u);
}

TEST_F(AuditFile, ATornLastLineIsDroppedAtStart) {
  open()->record(refusal("a"));
  open()->record(refusal("b"));
  const std::string whole = text();
  const std::size_t first = whole.find('\n') + 1;
  for (const std::size_t keep : {first + 1, first + 20, whole.size() - 1}) {
    put(whole.substr(0, keep));
    open()->record(refusal("c"));
    EXPECT_EQ(verify_audit_chain(text()).value(), 2u) << keep;
  }
  put(whole.substr(0, 5));
  open()->record(refusal("c"));
  EXPECT_EQ(verify_audit_chain(text()).value(), 1u);
}

TEST_F(AuditFile, DoesNotTouchAFileThatIsNoAuditLog) {
  for (const std::string content : {"precious data", "precious\ndata\n", "{\"seq\":0,\n", "\n"}) {
    put(content);
    const auto log = FileAuditLog::open(path_, clock_);
    ASSERT_FALSE(log) << content;
    EXPECT_EQ(log.error().code(), "audit_open");
    EXPECT_EQ(text(), content);
  }
  EXPECT_FALSE(FileAuditLog::open("/nonexistent/audit.jsonl", clock_));
}

TEST_F(AuditFile, EachTamperingShows) {
  {
    const auto log = open();
    for (const char* r : {"first", "second", "third"}) log->record(refusal(r));
  }
  const std::string all = text();
  const auto code = [](const std::string& t) {
    const auto r = verify_audit_chain(t);
    return r ? std::string() : r.error().code();
  };
  EXPECT_EQ(code(all), "");
  std::string changed = all;
  changed.replace(changed.find("second"), 6, "SECOND");
  EXPECT_EQ(code(changed), "audit_chain");
  const std::size_t one = all.find('\n') + 1;
  const std::size_t two = all.find('\n', one) + 1;
  EXPECT_EQ(code(all.substr(0, one) + all.substr(two)), "audit_chain") << "a line taken out";
  EXPECT_EQ(code(all.substr(one)), "audit_chain") << "the first taken out";
  EXPECT_EQ(code(all.substr(one, two - one) + all.substr(0, one)), "audit_chain") << "swapped";
  EXPECT_EQ(code(all + all.substr(two)), "audit_chain") << "repeated";
  EXPECT_EQ(code(all.substr(0, all.size() - 1)), "audit_chain") << "cut short";
}

TEST_F(AuditFile, AFullDiskShowsAndLeavesNoHalfLine) {
  {
    const auto log = open();
    log->record(refusal("first"));
    // The kernel lets 10 more bytes of the next line in, then none.
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit tight = before;
    tight.rlim_cur = text().size() + 10;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    log->record(refusal("lost"));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, old_handler);
    EXPECT_TRUE(log->trouble());
    log->record(refusal("second"));
  }
  EXPECT_EQ(verify_audit_chain(text()).value(), 3u) << "with the line that says what is missing";
  EXPECT_EQ(text().find("lost"), std::string::npos);
}

class AuditDisk : public AuditFile {
 protected:
  std::unique_ptr<FileAuditLog> open(Duration retry = std::chrono::milliseconds(5)) {
    AuditFileOptions options;
    options.log = Logger(log_, clock_, "audit");
    options.on_failure = [this] { ++failures_; };
    options.retry = retry;
    options.disk = &disk_;
    return FileAuditLog::open(path_, clock_, std::move(options)).value();
  }
  template <class F>
  static bool eventually(F f) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!f() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return f();
  }
  static std::size_t count(const std::string& all, std::string_view what) {
    std::size_t n = 0;
    for (auto at = all.find(what); at != all.npos; at = all.find(what, at + 1)) ++n;
    return n;
  }

  test::FailingDisk disk_;
  std::shared_ptr<test::TextLog> log_ = std::make_shared<test::TextLog>();
  std::atomic<int> failures_ = 0;
};

TEST_F(AuditDisk, WhatIsLostOnAFullDiskIsToldOnceThereIsRoom) {
  const auto log = open();
  log->record(refusal("first"));
  disk_.full = true;
  log->record(refusal("second"));
  log->record(refusal("third"));
  EXPECT_EQ(log->trouble(), path_ + ": disk_full: write: No space left on device");
  EXPECT_TRUE(eventually([&] { return failures_ > 5; })) << "it is tried again and again";
  EXPECT_TRUE(log->trouble());
  EXPECT_EQ(count(log_->text(), "audit events are lost"), 1u);
  EXPECT_EQ(count(log_->text(), path_), 1u);
  EXPECT_EQ(count(log_->text(), "make room"), 1u);
  disk_.full = false;
  EXPECT_TRUE(eventually([&] { return !log->trouble(); })) << "without another event";
  EXPECT_EQ(count(log_->text(), "written again"), 1u);
  EXPECT_EQ(verify_audit_chain(text()).value(), 2u);
  EXPECT_EQ(count(text(), R"("action":"audit.gap","outcome":"observed","reason":"disk_full",)"
                          R"("extra":{"events":"2"})"),
            1u);
}

TEST_F(AuditDisk, EachTroubleIsToldAnew) {
  const auto log = open();
  for (std::size_t i = 1; i < 4; ++i) {
    disk_.full = true;
    log->record(refusal("lost"));
    EXPECT_TRUE(log->trouble());
    disk_.full = false;
    ASSERT_TRUE(eventually([&] { return !log->trouble(); }));
    EXPECT_EQ(count(log_->text(), "audit events are lost"), i);
    EXPECT_EQ(count(text(), R"("events":"1")"), i);
  }
}

TEST_F(AuditDisk, TheGapStandsBeforeWhatComesAfterIt) {
  {
    const auto log = open(std::chrono::hours(1));
    disk_.full = true;
    log->record(refusal("lost"));
    disk_.full = false;
    log->record(refusal("second"));
  }
  EXPECT_EQ(verify_audit_chain(text()).value(), 2u);
  EXPECT_LT(text().find("audit.gap"), text().find("second"));
}

TEST_F(AuditDisk, ADiskThatDoesNotSyncShows) {
  const auto log = open();
  disk_.fail_next_sync = true;
  log->record(refusal("first"));
  ASSERT_TRUE(eventually([&] { return failures_ == 1; }));
  EXPECT_TRUE(eventually([&] { return !log->trouble(); }));
  EXPECT_EQ(count(log_->text(), "audit_sync"), 1u);
  EXPECT_EQ(count(text(), R"("reason":"audit_sync","extra":{"events":"0"})"), 1u);
}

TEST(AuditMemory, CountsByActionAndReason) {
  MemoryAuditLog log;
  log.record(refusal("a"));
  log.record(refusal("b"));
  EXPECT_EQ(log.events().size(), 2u);
  EXPECT_EQ(log.count("ticket.refuse"), 2u);
  EXPECT_EQ(log.count("ticket.refuse", "b"), 1u);
  EXPECT_EQ(log.count("ticket.grant"), 0u);
}

}  // namespace
}  // namespace convoy::security
