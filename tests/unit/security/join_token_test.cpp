#include "security/ca/join_token.hpp"

#include <atomic>
#include <barrier>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <sstream>
#include <sys/stat.h>
#include <thread>

#include "crypto/hash.hpp"
#include "support/manual_clock.hpp"
#include "support/storage_dir.hpp"

namespace convoy::security {
namespace {

using namespace std::chrono_literals;

constexpr UnixTime kNow = test::ManualClock::kStart;

constexpr Hash256 kKey{1};
constexpr Hash256 kThiefsKey{2};

SpiffeId node(std::string name, NodeKind kind = NodeKind::node) {
  return {"example.org", "c1", kind, std::move(name)};
}

/// One behaviour, both stores.
class JoinTokenTest : public testing::TestWithParam<bool> {
 protected:
  JoinTokenTest() {
    if (GetParam()) {
      store_ = std::make_unique<FileJoinTokenStore>(path_);
    } else {
      store_ = std::make_unique<MemoryJoinTokenStore>();
    }
  }
  Secret create(const JoinTokenSpec& spec = {}) {
    return create_join_token(*store_, spec, kNow, random_).value();
  }
  Result<JoinTokenRecord> redeem(const Secret& token, const SpiffeId& who = node("node-1"),
                                 UnixTime now = kNow, const Hash256& key = kKey) {
    return redeem_join_token(*store_, token, who, key, now);
  }
  void expect_refused(const Result<JoinTokenRecord>& r, std::string_view reason) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().kind(), ErrorClass::unauthorized);
    EXPECT_EQ(r.error().code(), "join_token_invalid") << "the same for each reason";
    EXPECT_NE(r.error().detail().find(reason), std::string::npos) << r.error().detail();
  }

  test::TempDir dir_;
  std::string path_ = dir_ / "tokens.json";
  std::unique_ptr<JoinTokenStore> store_;
  SystemRandom random_;
};

TEST_P(JoinTokenTest, HasTheTextForm) {
  const std::string text(create().reveal());
  ASSERT_EQ(text.size(), 85u);
  EXPECT_TRUE(text.starts_with("cvj_"));
  EXPECT_TRUE(from_hex(text.substr(4, 16)));
  EXPECT_EQ(text[20], '_');
  EXPECT_TRUE(from_hex(text.substr(21)));
}

TEST_P(JoinTokenTest, WorksOnce) {
  const auto token = create({NodeKind::origin, "", "zone-a", 1h});
  const auto found = find_join_token(*store_, token, kKey, kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, NodeKind::origin);
  const auto used = redeem(token, node("o", NodeKind::origin));
  ASSERT_TRUE(used) << used.error().text();
  EXPECT_EQ(used->zone, "zone-a");
  EXPECT_EQ(used->used_by, "spiffe://example.org/cluster/c1/origin/o");
  EXPECT_EQ(used->used_key, kKey);
  expect_refused(redeem(token, node("o", NodeKind::origin), kNow, kThiefsKey), "used");
  expect_refused(find_join_token(*store_, token, kThiefsKey, kNow), "used");
}

TEST_P(JoinTokenTest, IsTakenAgainFromTheSameNodeWithTheSameKeyAlone) {
  const auto token = create();
  ASSERT_TRUE(redeem(token, node("a")));
  const auto again = redeem(token, node("a"), kNow + 3599s);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->used_by, "spiffe://example.org/cluster/c1/node/a");
  EXPECT_TRUE(find_join_token(*store_, token, kKey, kNow));
  expect_refused(redeem(token, node("b")), "used");
  expect_refused(redeem(token, node("a"), kNow, kThiefsKey), "used");
  expect_refused(redeem(token, node("a", NodeKind::origin)), "kind");
  expect_refused(redeem(token, node("a"), kNow + 3600s), "expired");
  EXPECT_EQ(store_->list().value().front().used_key, kKey);
}

TEST_P(JoinTokenTest, TheSecretIsNotKept) {
  const std::string text(create().reveal());
  const auto records = store_->list().value();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].hash, crypto::sha256(as_bytes(text.substr(21))));
  if (GetParam()) {
    std::ifstream in(path_);
    std::stringstream all;
    all << in.rdbuf();
    EXPECT_EQ(all.str().find(text.substr(21)), std::string::npos);
    EXPECT_NE(all.str().find(text.substr(4, 16)), std::string::npos);
  }
}

TEST_P(JoinTokenTest, RefusesUnknownWrongAndMalformed) {
  const std::string good(create().reveal());
  std::string wrong = good;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  expect_refused(redeem(Secret(wrong)), "wrong secret");
  std::string unknown = good;
  unknown[4] = unknown[4] == '0' ? '1' : '0';
  expect_refused(redeem(Secret(unknown)), "unknown");
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "0", good.substr(0, 84), " " + good.substr(1),
        "CVJ_" + good.substr(4), good.substr(0, 20) + "-" + good.substr(21),
        good.substr(0, 84) + "G", good.substr(0, 84) + "\n"}) {
    expect_refused(redeem(Secret(bad)), "malformed");
  }
  EXPECT_TRUE(redeem(Secret(good))) << "none of this has used it up";
}

TEST_P(JoinTokenTest, ARefusalNeverHoldsTheSecret) {
  std::string wrong(create().reveal());
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  const auto refused = redeem(Secret(wrong));
  EXPECT_EQ(refused.error().text().find(wrong.substr(21)), std::string::npos);
}

TEST_P(JoinTokenTest, Expires) {
  const auto token = create({NodeKind::node, "", "", 60s});
  const auto other = create({NodeKind::node, "", "", 60s});
  EXPECT_TRUE(redeem(token, node("a"), kNow + 59s));
  expect_refused(redeem(other, node("a"), kNow + 60s), "expired");
}

TEST_P(JoinTokenTest, IsForItsKindAndName) {
  const auto token = create({NodeKind::node, "node-1", "", 1h});
  expect_refused(redeem(token, node("node-2")), "name");
  expect_refused(redeem(token, node("node-1", NodeKind::origin)), "kind");
  expect_refused(redeem(token, node("node-1", NodeKind::tracker)), "kind");
  EXPECT_TRUE(redeem(token, node("node-1")));
}

TEST_P(JoinTokenTest, RefusesSpecsThatAreNone) {
  const auto code = [&](const JoinTokenSpec& spec) {
    const auto made = create_join_token(*store_, spec, kNow, random_);
    return made ? std::string() : made.error().code();
  };
  EXPECT_EQ(code({NodeKind::tracker, "", "", 1h}), "join_token_spec");
  EXPECT_EQ(code({NodeKind::node, "Not a name", "", 1h}), "join_token_spec");
  EXPECT_EQ(code({NodeKind::node, "", "a/b", 1h}), "join_token_spec");
  EXPECT_EQ(code({NodeKind::node, "", "", 0s}), "join_token_spec");
  EXPECT_EQ(code({NodeKind::node, "", "", 30 * 24h}), "");
  EXPECT_EQ(code({NodeKind::node, "", "", 30 * 24h + 1s}), "join_token_spec");
}

TEST_P(JoinTokenTest, CanBeWithdrawn) {
  const auto token = create();
  const auto id = store_->list().value().front().id;
  ASSERT_TRUE(store_->remove(id));
  expect_refused(redeem(token), "unknown");
  EXPECT_EQ(store_->remove(id).error().code(), "join_token_unknown");
}

TEST_P(JoinTokenTest, OfManyAtOnceOneSucceeds) {
  constexpr int kRounds = 20;
  constexpr int kThreads = 4;
  std::vector<Secret> tokens;
  for (int i = 0; i < kRounds; ++i) tokens.push_back(create());
  std::vector<std::atomic<int>> good(kRounds);
  std::atomic<int> strange{0};
  std::barrier together(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      // A store of its own for each, as two processes have.
      FileJoinTokenStore own(path_);
      JoinTokenStore& store = GetParam() ? static_cast<JoinTokenStore&>(own) : *store_;
      for (std::size_t i = 0; i < kRounds; ++i) {
        together.arrive_and_wait();
        const auto used =
            redeem_join_token(store, tokens[i], node("n" + std::to_string(t)), kKey, kNow);
        good[i] += used.ok();
        strange += !used && used.error().code() != "join_token_invalid";
      }
    });
  }
  for (auto& t : threads) t.join();
  for (const auto& n : good) EXPECT_EQ(n, 1);
  EXPECT_EQ(strange, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, JoinTokenTest, testing::Bool(),
                         [](const auto& p) { return p.param ? "File" : "Memory"; });

TEST(JoinTokenFile, SurvivesARestartAndIsPrivate) {
  test::TempDir dir;
  SystemRandom random;
  const std::string path = dir / "t.json";
  FileJoinTokenStore first(path);
  const auto used = create_join_token(first, {}, kNow, random).value();
  const auto fresh = create_join_token(first, {}, kNow, random).value();
  ASSERT_TRUE(redeem_join_token(first, used, node("a"), kKey, kNow));
  FileJoinTokenStore second(path);
  EXPECT_EQ(second.list().value(), first.list().value());
  EXPECT_FALSE(redeem_join_token(second, used, node("a"), kThiefsKey, kNow));
  EXPECT_TRUE(redeem_join_token(second, used, node("a"), kKey, kNow));
  EXPECT_TRUE(redeem_join_token(second, fresh, node("a"), kKey, kNow));
  struct stat st{};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST(JoinTokenFile, ADamagedFileGivesNothingAway) {
  test::TempDir dir;
  SystemRandom random;
  const std::string path = dir / "t.json";
  FileJoinTokenStore store(path);
  const auto token = create_join_token(store, {}, kNow, random).value();
  const auto record = store.list().value().front();
  const std::string entry = R"("id":")" + record.id + R"(","sha256":")" + to_hex(record.hash) +
                            R"(","kind":"node","name":"","zone":"","expires":99999999999)";
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string(R"({"tokens":)"),
        std::string(R"({"tokens":[{}]})"), R"({"tokens":[{)" + entry + "}]}",
        R"({"tokens":[{)" + entry + R"(,"used_by":""},{)" + entry + R"(,"used_by":""}]})",
        R"({"tokens":[{)" + entry + R"(,"used_by":"","used_key":"12"}]})"}) {
    std::ofstream(path) << text;
    const auto got = redeem_join_token(store, token, node("a"), kKey, kNow);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code(), "join_token_store");
  }
}

TEST(JoinTokenFile, OneWrittenBeforeKeysWereKeptIsRead) {
  test::TempDir dir;
  SystemRandom random;
  const std::string path = dir / "t.json";
  FileJoinTokenStore store(path);
  const auto token = create_join_token(store, {}, kNow, random).value();
  const auto record = store.list().value().front();
  const auto write = [&](const std::string& used_by) {
    std::ofstream(path) << R"({"tokens":[{"id":")" + record.id + R"(","sha256":")" +
                               to_hex(record.hash) +
                               R"(","kind":"node","name":"","zone":"","expires":99999999999,)" +
                               R"("used_by":")" + used_by + R"("}]})";
  };
  write(node("a").str());
  EXPECT_FALSE(redeem_join_token(store, token, node("a"), kKey, kNow)) << "whose key was it?";
  write("");
  EXPECT_TRUE(redeem_join_token(store, token, node("a"), kKey, kNow));
}

TEST(JoinTokenFile, AMissingFolderIsAnError) {
  FileJoinTokenStore store("/nonexistent/t.json");
  EXPECT_EQ(store.list().error().code(), "join_token_store");
}

}  // namespace
}  // namespace convoy::security
