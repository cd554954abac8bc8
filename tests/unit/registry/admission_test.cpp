#include "registry/core/admission.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "registry/core/memory_use.hpp"
#include "support/manual_clock.hpp"
#include "support/registry_world.hpp"

namespace convoy::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ManualClock;

class RequestRateTest : public ::testing::Test {
 protected:
  int taken(RequestRate& rate, const std::string& key, int tries) {
    int out = 0;
    for (int i = 0; i < tries; ++i) out += rate.take(key, clock.steady()) ? 0 : 1;
    return out;
  }
  ManualClock clock;
  SeededRandom random{1};
};

TEST_F(RequestRateTest, a_burst_and_then_the_rate) {
  RequestRate rate({10, 5}, random);
  EXPECT_EQ(taken(rate, "a", 10), 5) << "the limit, not one past it";
  const auto wait = rate.take("a", clock.steady());
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, milliseconds(100));
  clock.advance(*wait - std::chrono::nanoseconds(1));
  EXPECT_EQ(taken(rate, "a", 1), 0);
  clock.advance(std::chrono::nanoseconds(1));
  EXPECT_EQ(taken(rate, "a", 2), 1);
  clock.advance(seconds(60));
  EXPECT_EQ(taken(rate, "a", 10), 5) << "what was not used does not add up";
  EXPECT_EQ(taken(rate, "b", 10), 5) << "others have their own";
}

TEST_F(RequestRateTest, without_a_limit_everything_passes) {
  RequestRate rate({0, 1}, random);
  EXPECT_EQ(taken(rate, "a", 1000), 1000);
}

TEST_F(RequestRateTest, nobody_frees_himself_by_many_other_keys_nor_locks_out_others) {
  RequestRate rate({1, 5}, random);
  EXPECT_EQ(taken(rate, "attacker", 10), 5);
  for (int i = 0; i < 4000; ++i) taken(rate, "k" + std::to_string(i), 6);
  EXPECT_EQ(taken(rate, "attacker", 10), 0);
  int honest = 0;
  for (int i = 0; i < 200; ++i) honest += taken(rate, "h" + std::to_string(i), 1);
  EXPECT_GE(honest, 195);
}

class LoadJudgeTest : public ::testing::Test {
 protected:
  /// Samples of more than a whole second, wherever it begins.
  LoadLevel after(LoadJudge& judge, Duration lag, Duration wait = {}) {
    for (int i = 0; i < 25; ++i) {
      clock.advance(milliseconds(100));
      judge.note({lag, wait, resident}, clock.steady());
    }
    return judge.level();
  }
  ManualClock clock;
  std::uint64_t resident = 0;
};

TEST_F(LoadJudgeTest, waits_raise_the_level_at_the_limit_and_end_it_at_half) {
  LoadJudge judge({milliseconds(100), 0});
  EXPECT_EQ(after(judge, milliseconds(99)), LoadLevel::normal);
  EXPECT_EQ(after(judge, {}, milliseconds(100)), LoadLevel::busy);
  EXPECT_EQ(after(judge, milliseconds(399)), LoadLevel::busy);
  EXPECT_EQ(after(judge, milliseconds(400)), LoadLevel::overloaded);
  EXPECT_EQ(after(judge, milliseconds(200)), LoadLevel::overloaded);
  EXPECT_EQ(after(judge, milliseconds(199)), LoadLevel::busy);
  EXPECT_EQ(after(judge, milliseconds(50)), LoadLevel::busy);
  EXPECT_EQ(after(judge, milliseconds(49)), LoadLevel::normal);
}

TEST_F(LoadJudgeTest, peaks_with_rest_between_them_change_nothing) {
  LoadJudge judge({milliseconds(100), 0});
  for (int i = 0; i < 100; ++i) {
    clock.advance(milliseconds(100));
    judge.note({i % 5 == 0 ? Duration::zero() : Duration(seconds(2)), {}, 0}, clock.steady());
    EXPECT_EQ(judge.level(), LoadLevel::normal);
  }
}

TEST_F(LoadJudgeTest, memory_counts_at_once) {
  LoadJudge judge({Duration::zero(), 1000});
  const auto level = [&](std::uint64_t bytes) {
    judge.note({seconds(60), seconds(60), bytes}, clock.steady());
    return judge.level();
  };
  EXPECT_EQ(level(799), LoadLevel::normal);
  EXPECT_EQ(level(800), LoadLevel::busy);
  EXPECT_EQ(level(899), LoadLevel::busy);
  EXPECT_EQ(level(900), LoadLevel::overloaded);
  EXPECT_EQ(level(850), LoadLevel::overloaded);
  EXPECT_EQ(level(849), LoadLevel::busy);
  EXPECT_EQ(level(750), LoadLevel::busy);
  EXPECT_EQ(level(749), LoadLevel::normal);
}

TEST(MemoryUse, reads_the_least_limit_of_the_control_groups_above) {
  const test::TempDir dir;
  const std::string root = dir / "cgroup";
  std::filesystem::create_directories(root + "/a/b");
  std::ofstream(dir / "cgroup-of-nobody");
  const auto write = [](const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  };
  std::filesystem::create_directories(dir / "self");
  write(std::string(dir / "self") + "/cgroup", "1:cpu:/x\n0::/a/b\n");
  EXPECT_EQ(cgroup_memory_limit(dir / "self", root), std::nullopt);
  write(root + "/a/b/memory.max", "max\n");
  EXPECT_EQ(cgroup_memory_limit(dir / "self", root), std::nullopt);
  write(root + "/a/memory.max", "1000000\n");
  EXPECT_EQ(cgroup_memory_limit(dir / "self", root), 1'000'000u);
  write(root + "/a/b/memory.max", "2000000\n");
  EXPECT_EQ(cgroup_memory_limit(dir / "self", root), 1'000'000u);
  EXPECT_GT(resident_bytes(), 1'000'000u);
}

class AdmissionTest : public ::testing::Test {
 protected:
  void load(Duration lag) {
    for (int i = 0; i < 25; ++i) {
      clock.advance(milliseconds(100));
      admission.measured({lag, {}, 0});
    }
  }
  bool takes(RequestKind kind, const std::string& client) {
    return admission.take_load(kind, client).ok();
  }
  static constexpr Duration kBusy = milliseconds(100);
  static constexpr Duration kOverloaded = milliseconds(400);

  ManualClock clock;
  SeededRandom random{1};
  Admission admission{{{2, 2}, {1, 1}, {kBusy, 0}}, clock, random};
};

TEST_F(AdmissionTest, gives_up_listings_and_beginnings_first_then_pulls) {
  for (const auto kind :
       {RequestKind::always, RequestKind::listing, RequestKind::begin, RequestKind::pull}) {
    EXPECT_TRUE(takes(kind, "uann"));
  }
  load(kBusy);
  EXPECT_TRUE(takes(RequestKind::always, "uann"));
  EXPECT_FALSE(takes(RequestKind::listing, "uann"));
  EXPECT_FALSE(takes(RequestKind::begin, "uann"));
  EXPECT_TRUE(takes(RequestKind::pull, "uann"));
  load(kOverloaded);
  EXPECT_TRUE(takes(RequestKind::always, "uann"));
  EXPECT_FALSE(takes(RequestKind::pull, "uann"));
}

TEST_F(AdmissionTest, lets_those_end_who_have_begun) {
  admission.note_push("uann");
  admission.note_pull("ubob");
  load(kOverloaded);
  EXPECT_TRUE(takes(RequestKind::begin, "uann"));
  EXPECT_TRUE(takes(RequestKind::pull, "ubob"));
  EXPECT_FALSE(takes(RequestKind::listing, "uann"));
  EXPECT_FALSE(takes(RequestKind::pull, "ueve"));
  admission.note_pull("ueve");
  EXPECT_FALSE(takes(RequestKind::pull, "ueve")) << "nobody enters while overloaded";
  admission.note_pull("ubob");
  clock.advance(seconds(60));
  EXPECT_FALSE(takes(RequestKind::pull, "ubob")) << "nor prolongs";
  clock.advance(seconds(240));
  EXPECT_FALSE(takes(RequestKind::begin, "uann"));
}

TEST_F(AdmissionTest, keeps_everyone_to_a_share_under_load_whatever_it_is_in_the_middle_of) {
  const auto taken = [this](RequestKind kind, int asked) {
    int out = 0;
    for (int i = 0; i < asked; ++i) out += takes(kind, "uann") ? 1 : 0;
    return out;
  };
  admission.note_push("uann");
  EXPECT_EQ(taken(RequestKind::always, 1000), 1000) << "without load there is no such limit";
  load(kOverloaded);
  EXPECT_EQ(taken(RequestKind::always, 150), 150);
  EXPECT_EQ(taken(RequestKind::begin, 51), 50);
  EXPECT_EQ(taken(RequestKind::pull, 9), 0);
  EXPECT_TRUE(takes(RequestKind::always, "ubob"));
  clock.advance(seconds(1));
  EXPECT_EQ(taken(RequestKind::always, 100), 50);
}

TEST_F(AdmissionTest, does_not_call_all_back_at_once) {
  load(kBusy);
  std::set<std::string> waits;
  for (int i = 0; i < 200; ++i) {
    auto refused = admission.take_load(RequestKind::begin, "uann");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), "overloaded");
    waits.insert(refused.error().detail());
  }
  EXPECT_EQ(waits, (std::set<std::string>{"2", "3", "4", "5", "6", "7", "8", "9"}));
}

TEST_F(AdmissionTest, counts_by_address_and_by_user) {
  EXPECT_TRUE(admission.take_address("2001:db8::1").ok());
  EXPECT_TRUE(admission.take_address("2001:db8::2").ok());
  auto third = admission.take_address("2001:db8::3");
  ASSERT_FALSE(third.ok()) << "one /64";
  EXPECT_EQ(third.error().code(), "rate_limited");
  EXPECT_EQ(third.error().detail(), "1");
  EXPECT_TRUE(admission.take_address("2001:db8:0:1::1").ok());
  EXPECT_TRUE(admission.take_user("ann").ok());
  EXPECT_FALSE(admission.take_user("ann").ok());
  EXPECT_TRUE(admission.take_user("bob").ok());
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(admission.take_user("").ok()) << "no user";
}

TEST(Admission, a_client_is_a_user_at_an_address) {
  EXPECT_EQ(client_key("ann", "2001:db8::1"), client_key("ann", "2001:db8::2"));
  EXPECT_NE(client_key("ann", "10.0.0.1"), client_key("ann", "10.0.0.2"));
  EXPECT_NE(client_key("ann", "10.0.0.1"), client_key("bob", "10.0.0.1"));
  EXPECT_NE(client_key("", "10.0.0.1"), client_key("10.0.0.1", ""));
}

// Through the API.

using test::Ask;
using test::RegistryWorld;

TEST(AccessLayer, an_address_past_its_rate_is_told_when_to_come_back) {
  RegistryWorld world([](RegistryOptions& o) { o.limits.address_requests = {1, 3}; });
  const std::string token = world.all("team/app");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.get("/v2/", token).status, 200);
  const auto refused = world.get("/v2/", token);
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.body.find("TOOMANYREQUESTS"), std::string::npos);
  EXPECT_NE(refused.body.find("rate_limited"), std::string::npos);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(world.get("/v2/../x", "").status, 429) << "before it is looked at";
  EXPECT_EQ(world.metrics
                ->counter("convoy_registry_turned_away_total", "",
                          {{"reason", "rate_limited"}, {"route", "ping"}})
                .value(),
            2);
}

TEST(AccessLayer, a_user_past_his_rate_is_refused_and_others_are_not) {
  RegistryWorld world([](RegistryOptions& o) { o.limits.user_requests = {1, 2}; });
  const std::string ann = world.token("ann", "repository:team/app:pull");
  EXPECT_EQ(world.get("/v2/", ann).status, 200);
  EXPECT_EQ(world.get("/v2/", ann).status, 200);
  EXPECT_EQ(world.get("/v2/", ann).status, 429);
  EXPECT_EQ(world.get("/v2/", world.token("ann", "repository:team/b:pull")).status, 429)
      << "another token is no other user";
  EXPECT_EQ(world.get("/v2/", world.token("bob", "")).status, 200);
}

TEST(AccessLayer, a_strangers_guesses_do_not_use_up_a_users_share) {
  RegistryWorld world([](RegistryOptions& o) { o.limits.user_requests = {1, 2}; });
  const auto login = [&](const std::string& credential) {
    return world.get("/token", "", {{"Authorization", "Basic " + to_base64(as_bytes(credential))}});
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(login("ann:wrong").status, 401);
  EXPECT_EQ(login("ann:ann-secret").status, 200);
  EXPECT_EQ(login("ann:ann-secret").status, 200);
  EXPECT_EQ(login("ann:ann-secret").status, 429);
}

/// A registry that finds itself overloaded by its own memory.
class Overload : public ::testing::Test {
 protected:
  Overload() : world([this](RegistryOptions& o) { o.load = {Duration::zero(), memory}; }) {}
  void restart_with(std::uint64_t limit) {
    memory = limit;
    world.restart();
    world.loop.run(look());
  }
  static net::Task<void> look() { static_cast<void>(co_await net::sleep_for(milliseconds(150))); }
  std::string begin(const std::string& repository) {
    return world
        .send({.method = "POST",
               .target = "/v2/" + repository + "/blobs/uploads/",
               .body = {},
               .headers = {},
               .token = world.all(repository)})
        .header("Location");
  }
  std::uint64_t memory = 1ULL << 50;
  RegistryWorld world;
};

TEST_F(Overload, ends_uploads_under_way_and_refuses_new_ones_and_pulls) {
  world.push_image("team/app", "v1");
  const std::string config = world.push_blob("team/app", "{}");
  const std::string layer = world.push_blob("team/app", "layt");
  const std::string location = begin("team/app");
  ASSERT_NE(location, "");
  restart_with(1 << 20);

  const auto refused = world.get("/v2/team/app/manifests/v1", world.all("team/app"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("overloaded"), std::string::npos);
  EXPECT_GE(std::stoi(refused.header("Retry-After")), 5);
  EXPECT_EQ(world.get("/v2/team/app/tags/list", world.all("team/app")).status, 503);
  EXPECT_EQ(world.get("/token", "").status, 503);
  EXPECT_EQ(begin("team/app"), "");
  EXPECT_EQ(world.get("/v2/", world.all("team/app")).status, 200);
  EXPECT_EQ(world.get("/v2/", "").status, 401) << "a challenge costs nothing";

  const auto patched = world.send({.method = "PATCH",
                                   .target = location,
                                   .body = "hello",
                                   .headers = {},
                                   .token = world.all("team/app")});
  EXPECT_EQ(patched.status, 202);
  EXPECT_NE(begin("team/app"), "") << "the next blob of the same push";
  const auto done = world.send({.method = "PUT",
                                .target = location + "?digest=" + test::digest_of("hello"),
                                .body = {},
                                .headers = {},
                                .token = world.all("team/app")});
  EXPECT_EQ(done.status, 201) << done.body;
  EXPECT_EQ(world.put_manifest("team/app", "v2", RegistryWorld::image(config, layer)).status, 201);
  EXPECT_GT(world.metrics
                ->counter("convoy_registry_turned_away_total", "",
                          {{"reason", "overloaded"}, {"route", "manifest"}})
                .value(),
            0);
}

TEST_F(Overload, is_over_when_memory_is_free_again) {
  world.push_image("team/app", "v1");
  restart_with(1 << 20);
  EXPECT_EQ(world.get("/v2/team/app/manifests/v1", world.all("team/app")).status, 503);
  restart_with(1ULL << 50);
  EXPECT_EQ(world.get("/v2/team/app/manifests/v1", world.all("team/app")).status, 200);
}

}  // namespace
}  // namespace convoy::registry
