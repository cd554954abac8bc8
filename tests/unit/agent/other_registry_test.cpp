#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "support/agent_world.hpp"

namespace convoy {
namespace {

constexpr std::size_t kSize = 300 * 1024 + 7;

/// Another configured registry, whose operator would like to see what the first one holds.
class OtherRegistry : public ::testing::Test {
 protected:
  OtherRegistry() {
    world.options.registries.push_back(test::plain_registry("other.test", other.base(), false));
  }
  void fill_cache(const oci::Digest& digest) {
    world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
    EXPECT_EQ(world.get(world.blob_request(digest)).status, 200);
    wait_for_downloads();
  }
  void wait_for_downloads() {
    EXPECT_TRUE(world.until(
        [&] { return world.agent->status_json().find("\"downloads\":0") != std::string::npos; }));
  }
  net::HttpRequest ask_other(const oci::Digest& digest) const {
    return world.request("GET", world.blob_target(digest) + "?ns=other.test");
  }
  /// The other one answers as if it held the blob, with bytes of its own.
  void pretend(const oci::Digest& digest) {
    other.blobs[digest.str()] = Bytes(world.content.size());
  }
  void expect_nothing_of_it(const test::Got& got) {
    EXPECT_TRUE(got.cut || got.status == 503) << got.status;
    EXPECT_EQ(got.body.find_first_not_of('\0'), got.status == 200 ? std::string::npos : 0U);
  }
  /// What the cache knows of the blob.
  std::string noted(const oci::Digest& digest) const {
    std::ifstream in(world.options.data_dir + "/cache/complete/" + digest.hex() + ".meta");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t asked_other() const { return other.count("GET", "/blobs/"); }

  test::AgentWorld world;
  test::FakeRegistry other{world.loop};
};

TEST_F(OtherRegistry, DoesNotOpenACachedBlobByItsWord) {
  const auto digest = world.blob(kSize);
  world.start();
  fill_cache(digest);
  pretend(digest);
  for (int i = 1; i <= 2; ++i) expect_nothing_of_it(world.get(ask_other(digest)));
  EXPECT_EQ(asked_other(), 2U);
  world.restart();
  expect_nothing_of_it(world.get(ask_other(digest)));
}

TEST_F(OtherRegistry, DoesNotOpenWhatWasTakenAhead) {
  const auto digest = world.blob(700);
  world.registry.manifest =
      R"({"schemaVersion":2,"config":{"mediaType":"x/y","size":700,"digest":")" + digest.str() +
      R"("},"layers":[]})";
  world.start();
  EXPECT_EQ(world.get(world.request("GET", "/v2/team/app/manifests/latest")).status, 200);
  ASSERT_TRUE(world.until([&] {
    return world.metrics->text().find("convoy_agent_ahead_total{outcome=\"kept\"} 1") !=
           std::string::npos;
  }));
  pretend(digest);
  expect_nothing_of_it(world.get(ask_other(digest)));
  EXPECT_EQ(asked_other(), 1U);
  EXPECT_TRUE(world.get(world.blob_request(digest)).body == world.text());
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 1U);
}

TEST_F(OtherRegistry, HasNoPartInARunningDownload) {
  const auto digest = world.blob(kSize);
  world.options.swarm_stall = std::chrono::seconds(10);
  world.start();
  const auto first = world.begin(world.blob_request(digest));
  ASSERT_TRUE(world.until([&] { return world.engine->last != nullptr; }));
  for (std::uint32_t piece = 0; piece < 18; ++piece) world.engine->last->deliver(piece);
  pretend(digest);
  expect_nothing_of_it(world.get(ask_other(digest)));
  world.engine->last->deliver(18);
  ASSERT_TRUE(world.until([&] { return first->has_value(); }));
  EXPECT_TRUE((*first)->body == world.text());
}

TEST_F(OtherRegistry, HasNoPartInWhatComesForAReaderOfItsOwnDownload) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = nullptr;
  world.options.swarm_stall = std::chrono::seconds(30);
  world.start();
  pretend(digest);
  other.blob_delay = std::chrono::seconds(60);
  const auto theirs = world.begin(ask_other(digest));
  ASSERT_TRUE(world.until([&] { return asked_other() == 1; }));
  EXPECT_TRUE(world.get(world.blob_request(digest)).body == world.text());
  EXPECT_FALSE(theirs->has_value());
}

TEST_F(OtherRegistry, OpensTheCacheOnceItHasDeliveredTheBlob) {
  const auto digest = world.blob(kSize);
  world.start();
  fill_cache(digest);
  other.add(world.content);
  EXPECT_TRUE(world.get(ask_other(digest)).body == world.text());
  EXPECT_TRUE(world.until([&] { return noted(digest).find("other.test") != std::string::npos; }));
  EXPECT_TRUE(world.get(ask_other(digest)).body == world.text());
  EXPECT_EQ(asked_other(), 1U);
  world.restart();
  EXPECT_TRUE(world.get(ask_other(digest)).body == world.text());
  EXPECT_EQ(asked_other(), 1U);
}

TEST_F(OtherRegistry, OpensTheCacheIfItSignedTheSameTree) {
  const auto digest = world.blob(kSize);
  world.in_cluster.emplace_back("other.test");
  world.start();
  fill_cache(digest);
  EXPECT_TRUE(world.get(ask_other(digest)).body == world.text());
  EXPECT_EQ(asked_other(), 0U);
}

TEST_F(OtherRegistry, DoesNotOpenTheCacheByAnotherTreeOrNone) {
  const auto digest = world.blob(kSize);
  world.in_cluster.emplace_back("other.test");
  Hash256 root{};
  world.tracker->on_ticket = [&](const clients::TicketRequest& r) -> Result<clients::TicketReply> {
    if (r.registry != "other.test") return unavailable("tracker_unreachable");
    auto reply = world.grant(r);
    auto meta = world.meta_of(r.digest, world.content);
    meta.pieces_root = root;
    reply->metadata = world.keys.metadata().sign(meta);
    reply->info_hash =
        to_hex(crypto::sha256(bt::encode_info(meta, world.cluster.pki.root.chain_pem)));
    return reply;
  };
  world.start();
  // Without a ticket it is stored without a tree.
  EXPECT_EQ(world.get(world.blob_request(digest)).status, 200);
  wait_for_downloads();
  world.clock.advance(std::chrono::seconds(6));
  pretend(digest);
  expect_nothing_of_it(world.get(ask_other(digest)));
  root.fill(9);
  world.clock.advance(std::chrono::seconds(11));
  expect_nothing_of_it(world.get(ask_other(digest)));
  EXPECT_EQ(asked_other(), 2U);
}

}  // namespace
}  // namespace convoy
