#include <gtest/gtest.h>

#include "support/agent_world.hpp"

namespace convoy {
namespace {

constexpr std::size_t kSize = 300 * 1024 + 7;  // 19 pieces of 16 KiB

class MirrorBlob : public ::testing::Test {
 protected:
  /// Six pieces of the blob come, then the agent ends.
  void break_off_after_six(const oci::Digest& digest) {
    world.options.swarm_stall = std::chrono::seconds(10);
    world.engine->on_add = [](test::FakeTorrent& t) {
      for (std::uint32_t piece = 0; piece < 6; ++piece) t.deliver(piece);
    };
    world.start();
    const auto first = world.begin(world.blob_request(digest));
    ASSERT_TRUE(
        world.until([&] { return world.engine->last && !world.engine->last->readers.empty(); }));
    world.stop();
  }
  void start_anew() {
    world.restart();
    world.engine->truth = world.content;
  }
  /// The six are verified and used, the others come from the swarm.
  test::Got go_on_after_six(const oci::Digest& digest) {
    const auto got = world.begin(world.blob_request(digest));
    const auto used = [&] { return world.engine->last && world.engine->last->injected == 6; };
    EXPECT_TRUE(world.until(used));
    if (!used()) return {};
    for (std::uint32_t piece = 6; piece < 19; ++piece) world.engine->last->deliver(piece);
    EXPECT_TRUE(world.until([&] { return got->has_value(); }));
    return got->value_or(test::Got{});
  }
  test::AgentWorld world;
};

void expect_blob(const test::Got& got, const test::AgentWorld& world, const oci::Digest& digest) {
  EXPECT_EQ(got.status, 200);
  EXPECT_FALSE(got.cut);
  EXPECT_TRUE(got.body == world.text());
  EXPECT_EQ(got.headers.get("Docker-Content-Digest"), digest.str());
  EXPECT_EQ(got.headers.get("Content-Length"), std::to_string(world.content.size()));
}

TEST_F(MirrorBlob, PeersAreAskedForWithoutATicketWhereTheOneAtHandWillDo) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  const swarm::TorrentSpec& spec = world.engine->last->spec;
  EXPECT_FALSE(world.tracker->tickets.back().known);
  world.tracker->on_ticket = [&](const clients::TicketRequest& request) {
    auto reply = world.grant(request);
    if (request.known) reply->ticket = reply->metadata = "";
    reply->peers.push_back({{"127.0.0.1", 9}, false});
    return reply;
  };
  const auto peers = world.loop.run(spec.renew(false));
  EXPECT_EQ(world.tracker->tickets.back().known, spec.info_hash);
  ASSERT_TRUE(peers.ok()) << peers.error().text();
  EXPECT_EQ(peers->ticket, "");
  EXPECT_FALSE(peers->peers.empty());
  const auto grant = world.loop.run(spec.renew(true));
  EXPECT_FALSE(world.tracker->tickets.back().known);
  ASSERT_TRUE(grant.ok()) << grant.error().text();
  EXPECT_EQ(grant->ticket, "ticket");
}

TEST_F(MirrorBlob, ComesFromTheSwarm) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 0U);
  const std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"peers\":" + std::to_string(kSize)), std::string::npos) << status;
  EXPECT_NE(status.find("\"outcome\":\"ok\""), std::string::npos);
  EXPECT_EQ(world.audit.count("pull.grant"), 1U);
}

TEST_F(MirrorBlob, IsServedWhileItArrives) {
  const auto digest = world.blob(kSize);
  world.options.swarm_stall = std::chrono::seconds(10);
  world.start();
  const auto got = world.begin(world.blob_request(digest));
  ASSERT_TRUE(world.until([&] { return world.engine->last != nullptr; }));
  const auto torrent = world.engine->last;
  for (std::uint32_t piece = 0; piece < 5; ++piece) torrent->deliver(piece);
  // The reader's position tells the engine what is wanted next.
  ASSERT_TRUE(world.until([&] {
    return torrent->readers.size() == 1 && torrent->readers.begin()->second == 5 * 16384U;
  }));
  EXPECT_FALSE(got->has_value());
  std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"pulls\":[]"), std::string::npos) << status;
  EXPECT_NE(status.find("\"repository\":\"team/app\",\"digest\":\"" + digest.str() +
                        "\",\"size\":" + std::to_string(kSize) +
                        ",\"bytes\":{\"peers\":81920,\"origin\":0,\"cache\":0,\"registry\":0}"),
            std::string::npos)
      << status;
  EXPECT_NE(status.find("\"state\":\"sending\""), std::string::npos) << status;
  for (std::uint32_t piece = 5; piece < 19; ++piece) torrent->deliver(piece);
  ASSERT_TRUE(world.until([&] { return got->has_value(); }));
  expect_blob(**got, world, digest);
  EXPECT_TRUE(torrent->readers.empty());
  status = world.agent->status_json();
  EXPECT_NE(status.find("\"running\":[]"), std::string::npos) << status;
  EXPECT_NE(status.find("\"outcome\":\"ok\""), std::string::npos) << status;
}

TEST_F(MirrorBlob, StatusTellsWhatAPullWaitsFor) {
  const auto digest = world.blob(kSize);
  world.options.swarm_stall = std::chrono::seconds(10);
  world.start();
  const auto state = [&](const std::string& text) {
    return world.agent->status_json().find("\"state\":\"" + text + "\"") != std::string::npos;
  };
  const auto waiting = world.begin(world.blob_request(digest));
  EXPECT_TRUE(world.until([&] { return state("waiting"); }));
  ASSERT_TRUE(world.until([&] { return world.engine->last != nullptr; }));
  world.engine->last->deliver_all();
  ASSERT_TRUE(world.until([&] { return waiting->has_value(); }));
  expect_blob(**waiting, world, digest);
  // The tracker cannot tell, and the registry takes its time over the leave.
  world.tracker->on_ticket = nullptr;
  world.registry.head_delay = std::chrono::milliseconds(100);
  const auto other = world.blob(kSize, 2);
  const auto asking = world.begin(world.blob_request(other));
  EXPECT_TRUE(world.until([&] { return state("authorizing"); }));
  ASSERT_TRUE(world.until([&] { return asking->has_value(); }));
  expect_blob(**asking, world, other);
}

TEST_F(MirrorBlob, AnswerOfAFailureCountsForNoSource) {
  const auto digest = world.blob(kSize);
  world.peers_known = false;
  world.start();
  world.registry.stop();
  EXPECT_EQ(world.get(world.blob_request(digest)).status, 503);
  const std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"bytes\":{\"peers\":0,\"origin\":0,\"cache\":0,\"registry\":0}"),
            std::string::npos)
      << status;
}

TEST_F(MirrorBlob, ManyRequestsCostOneDownload) {
  const auto digest = world.blob(kSize);
  world.options.swarm_stall = std::chrono::seconds(10);
  world.start();
  std::vector<std::shared_ptr<std::optional<test::Got>>> all;
  for (int i = 0; i < 8; ++i) all.push_back(world.begin(world.blob_request(digest)));
  ASSERT_TRUE(
      world.until([&] { return world.engine->last && world.engine->last->readers.size() == 8; }));
  world.engine->last->deliver_all();
  for (const auto& got : all) {
    ASSERT_TRUE(world.until([&] { return got->has_value(); }));
    expect_blob(**got, world, digest);
  }
  EXPECT_EQ(world.engine->added, 1);
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 0U);
}

TEST_F(MirrorBlob, StalledSwarmIsReplacedByTheRegistryAtTheByteReached) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) {
    for (std::uint32_t piece = 0; piece < 4; ++piece) t.deliver(piece);
  };
  world.start();
  const auto before = std::chrono::steady_clock::now();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  ASSERT_EQ(world.registry.count("GET", "/blobs/"), 1U);
  for (const auto& seen : world.registry.seen) {
    if (seen.method == "GET" && seen.target.find("/blobs/") != std::string::npos) {
      EXPECT_EQ(seen.headers.get("Range"), "bytes=65536-");
    }
  }
  EXPECT_EQ(world.engine->last->injected, 15);  // what the registry gave is shared with peers
  const std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"peers\":65536"), std::string::npos) << status;
  EXPECT_NE(status.find("\"registry\":" + std::to_string(kSize - 65536)), std::string::npos);
}

TEST_F(MirrorBlob, RegistryStopsWhenTheSwarmComesBack) {
  const auto digest = world.blob(kSize);
  world.start();
  world.registry.before_blob = [&] {
    for (std::uint32_t piece = 3; piece < 19; ++piece) world.engine->last->deliver(piece);
  };
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_EQ(world.engine->last->injected, 3);
}

TEST_F(MirrorBlob, NoPeersMeansTheRegistryAtOnce) {
  const auto digest = world.blob(kSize);
  world.options.swarm_stall = std::chrono::seconds(20);
  world.peers_known = false;
  world.start();
  const auto before = std::chrono::steady_clock::now();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

TEST_F(MirrorBlob, RegistryBytesAreUsedBeforeThePieceHashesAreKnown) {
  const auto digest = world.blob(kSize);
  world.peers_known = false;
  world.engine->on_add = [](test::FakeTorrent& t) { t.layer_known = false; };
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  // Once the digest was checked, the blob is in the swarm as a seed.
  EXPECT_TRUE(world.until([&] { return world.engine->added == 2; }));
  EXPECT_EQ(world.engine->last->readable_from(0), kSize);
}

TEST_F(MirrorBlob, TrackerDownMeansTheRegistry) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = nullptr;
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_EQ(world.engine->added, 0);
  // It was kept: asked again, only the leave is asked of the registry.
  ASSERT_TRUE(world.until(
      [&] { return world.agent->status_json().find("\"downloads\":0") != std::string::npos; }));
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 1U);
}

TEST_F(MirrorBlob, NotEnrolledAgentStillServes) {
  const auto digest = world.blob(kSize);
  world.tracker->on_enrol = nullptr;
  world.start(false);
  EXPECT_TRUE(world.agent->not_ready().has_value());
  expect_blob(world.get(world.blob_request(digest)), world, digest);
}

TEST_F(MirrorBlob, RegistryGoneButCachedIsServedWhenTheTrackerSaysSo) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  world.registry.stop();
  world.restart();
  world.engine->on_add = nullptr;
  auto request = world.blob_request(digest);
  request.headers.add("Authorization", "Bearer user-token");
  expect_blob(world.get(std::move(request)), world, digest);
  EXPECT_EQ(world.tracker->tickets.back().authorization->reveal(), "Bearer user-token");
  const std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"cache\":" + std::to_string(kSize)), std::string::npos) << status;
}

TEST_F(MirrorBlob, AskedForAgainAfterARestartItIsSeeded) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  world.restart();
  EXPECT_EQ(world.tracker->enrolled.size(), 1U);  // the identity was kept
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  ASSERT_EQ(world.engine->added, 1);
  EXPECT_EQ(world.engine->last->readable_from(0), kSize);
}

TEST_F(MirrorBlob, PartOfAnEarlierRunIsVerifiedAndUsed) {
  const auto digest = world.blob(kSize);
  break_off_after_six(digest);
  start_anew();
  expect_blob(go_on_after_six(digest), world, digest);
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 0U);
}

TEST_F(MirrorBlob, PartOfAnEarlierRunOutlivesAPullWithoutTheTracker) {
  const auto digest = world.blob(kSize);
  break_off_after_six(digest);
  world.tracker->on_ticket = nullptr;
  world.registry.blob_status = 500;
  start_anew();
  EXPECT_EQ(world.get(world.blob_request(digest)).status, 503);
  EXPECT_GE(world.registry.count("GET", "/blobs/"), 1U);
  world.registry.blob_status = 0;
  world.tracker->on_ticket = [this](const clients::TicketRequest& r) { return world.grant(r); };
  start_anew();
  expect_blob(go_on_after_six(digest), world, digest);
}

TEST_F(MirrorBlob, ATorrentThatEndedIsNotAskedWithoutPause) {
  const auto digest = world.blob(kSize);
  world.options.swarm_stall = std::chrono::seconds(10);
  world.start();
  const auto got = world.begin(world.blob_request(digest));
  ASSERT_TRUE(
      world.until([&] { return world.engine->last && !world.engine->last->readers.empty(); }));
  const auto torrent = world.engine->last;
  torrent->remove();
  const int before = torrent->waits;
  world.pump(std::chrono::milliseconds(500));
  EXPECT_LE(torrent->waits - before, 20);
}

TEST_F(MirrorBlob, ADiskThatFillsUpSpoilsOnePullAndTheNextGoesPastIt) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = nullptr;
  world.disk_room = 100 * 1024;
  world.start();
  EXPECT_TRUE(world.get(world.blob_request(digest)).cut);
  EXPECT_TRUE(world.until([&] { return !world.has_partial(); }));
  EXPECT_NE(world.log->text().find("the disk is full"), std::string::npos);
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_FALSE(world.has_partial());
}

TEST_F(MirrorBlob, ADiskThatIsFullSpoilsNoPull) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = nullptr;
  world.disk_room = 0;
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  const std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"registry\":" + std::to_string(kSize)), std::string::npos) << status;
}

TEST_F(MirrorBlob, RangesAndHead) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  const auto middle = world.get(world.blob_request(digest, "bytes=20000-49999"));
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.headers.get("Content-Range"), "bytes 20000-49999/" + std::to_string(kSize));
  EXPECT_TRUE(middle.body == world.text().substr(20000, 30000));
  const auto tail = world.get(world.blob_request(digest, "bytes=300000-"));
  EXPECT_EQ(tail.status, 206);
  EXPECT_TRUE(tail.body == world.text().substr(300000));
  const auto beyond = world.get(world.blob_request(digest, "bytes=400000-"));
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.get("Content-Range"), "bytes */" + std::to_string(kSize));
  const auto head = world.get(world.request("HEAD", world.blob_target(digest)));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("Content-Length"), std::to_string(kSize));
  EXPECT_EQ(head.headers.get("Accept-Ranges"), "bytes");
  EXPECT_TRUE(head.body.empty());
}

TEST_F(MirrorBlob, SmallOnesComeStraightFromTheRegistry) {
  const auto small = world.blob(1023);
  world.start();
  expect_blob(world.get(world.blob_request(small)), world, small);
  EXPECT_EQ(world.engine->added, 0);
  const auto large = world.blob(1024, 2);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  expect_blob(world.get(world.blob_request(large)), world, large);
  EXPECT_EQ(world.engine->added, 1);
}

TEST_F(MirrorBlob, EmptyBlob) {
  const auto digest = world.blob(0);
  world.tracker->on_ticket = nullptr;
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
}

TEST_F(MirrorBlob, RegistryThatCutsIsReadOn) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = nullptr;
  world.registry.cut_after = 100 * 1000;
  world.start();
  expect_blob(world.get(world.blob_request(digest)), world, digest);
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 4U);
}

}  // namespace
}  // namespace convoy
