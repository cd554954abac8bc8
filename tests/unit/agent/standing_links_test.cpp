#include "agent/fetch/standing_links.hpp"

#include <gtest/gtest.h>

#include "support/agent_world.hpp"

namespace convoy::agent {
namespace {

using namespace std::chrono_literals;

TEST(StandingLinks, ANewMemberGreetsTheTrackerAndTheRegistriesOfTheClusterAlone) {
  test::AgentWorld world;
  test::FakeRegistry foreign(world.loop);
  world.options.registries.push_back(test::plain_registry("foreign.test", foreign.base(), false));
  world.start();
  ASSERT_TRUE(world.until([&] { return world.registry.hellos == 1; }));
  EXPECT_EQ(world.tracker->hellos, 1);
  EXPECT_EQ(foreign.hellos, 0U);
}

class StandingLinksTest : public testing::Test {
 protected:
  void join() {
    auto link = std::make_shared<ClusterLink>();
    link->tracker = tracker_;
    link->registries.emplace("registry.test", security::MetadataVerifier({}, clock_));
    cluster_.set(link);
  }
  void keep(Duration period) {
    links_.emplace(cluster_, upstreams_, *tasks_, clock_, random_, period);
    tasks_->spawn([this] { return links_->run(); });
  }
  void wait(Duration time) {
    loop_.run([](Duration t) -> net::Task<void> { co_await net::sleep_for(t); }(time));
  }

  SystemClock clock_;
  SystemRandom random_;
  test::Loop loop_;
  test::FakeRegistry registry_{loop_};
  std::shared_ptr<clients::MemoryTrackerClient> tracker_ =
      std::make_shared<clients::MemoryTrackerClient>();
  Upstreams upstreams_ =
      Upstreams::make(loop_.executor(),
                      {test::plain_registry("registry.test", registry_.base(), true)}, 5s, clock_)
          .value();
  Cluster cluster_;
  std::optional<StandingLinks> links_;
  test::Tasks tasks_{loop_};
};

TEST_F(StandingLinksTest, SaysSomethingWithinEachPeriod) {
  join();
  keep(50ms);
  for (int i = 0; i < 200 && registry_.hellos < 3; ++i) wait(10ms);
  EXPECT_GE(registry_.hellos, 3U);
  EXPECT_GE(tracker_->hellos, 3);
}

TEST_F(StandingLinksTest, KeepsAnUnenrolledNodeSilentAndSurvivesARegistryThatIsGone) {
  keep(20ms);
  wait(100ms);
  EXPECT_EQ(registry_.hellos, 0U);
  registry_.stop();
  join();
  for (int i = 0; i < 200 && tracker_->hellos < 3; ++i) wait(10ms);
  EXPECT_GE(tracker_->hellos, 3);
}

}  // namespace
}  // namespace convoy::agent
