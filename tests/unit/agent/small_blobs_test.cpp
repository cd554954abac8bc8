#include <algorithm>
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "support/agent_world.hpp"
#include "wire/oci/manifest.hpp"

namespace convoy {
namespace {

namespace json = boost::json;

json::object descriptor(const std::string& digest, std::uint64_t size) {
  return {{"mediaType", "application/octet-stream"}, {"digest", digest}, {"size", size}};
}

std::string manifest(const json::object& config, const json::array& layers = {}) {
  return json::serialize(json::object{{"schemaVersion", 2},
                                      {"mediaType", oci::kMediaOciManifest},
                                      {"config", config},
                                      {"layers", layers}});
}

/// A well-formed digest of no blob.
std::string nobody(int i) {
  return "sha256:" + to_hex(crypto::sha256(as_bytes(std::to_string(i))));
}

/// An image whose config is a small blob: `world.content`.
class SmallBlobsAhead : public ::testing::Test {
 protected:
  SmallBlobsAhead() : digest(world.blob(700)) {
    world.registry.manifest = manifest(descriptor(digest.str(), 700));
  }
  net::HttpRequest manifest_request(const std::string& authorization = {}) const {
    auto out = world.request("GET", "/v2/team/app/manifests/latest");
    if (!authorization.empty()) out.headers.add("Authorization", authorization);
    return out;
  }
  double count(const char* outcome) const {
    return world.metrics
        ->counter("convoy_agent_ahead_total", "Small blobs taken ahead of the engine, by outcome",
                  {{"outcome", outcome}})
        .value();
  }
  bool kept(double n) {
    return world.until([&] { return count("kept") + count("failed") >= n; }) && count("kept") == n;
  }
  bool failed(double n) {
    return world.until([&] { return count("kept") + count("failed") >= n; }) &&
           count("failed") == n;
  }
  std::size_t blob_gets() const { return world.registry.count("GET", "/blobs/"); }
  void expect_config(const test::Got& got) const {
    EXPECT_EQ(got.status, 200);
    EXPECT_FALSE(got.cut);
    EXPECT_TRUE(got.body == world.text());
  }

  test::AgentWorld world;
  oci::Digest digest;
};

TEST_F(SmallBlobsAhead, RegistryGoneAfterTheManifestFailsNoPull) {
  world.start();
  const auto got = world.get(manifest_request());
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, world.registry.manifest);
  ASSERT_TRUE(kept(1));
  world.registry.stop();
  expect_config(world.get(world.blob_request(digest)));
  EXPECT_EQ(world.engine->added, 0);
  // The first that has it is whom it was fetched for.
  std::string status = world.agent->status_json();
  EXPECT_NE(status.find("\"registry\":700"), std::string::npos) << status;
  EXPECT_EQ(status.find("\"cache\":700"), std::string::npos) << status;
  expect_config(world.get(world.blob_request(digest)));
  status = world.agent->status_json();
  EXPECT_NE(status.find("\"cache\":700"), std::string::npos) << status;
}

TEST_F(SmallBlobsAhead, ManifestWaitsForNoBlobAndTheEnginesRequestJoins) {
  world.registry.blob_delay = std::chrono::milliseconds(100);
  world.options.swarm_stall = std::chrono::seconds(5);
  world.start();
  const auto got = world.get(manifest_request());
  EXPECT_EQ(got.body, world.registry.manifest);
  EXPECT_EQ(count("kept"), 0);
  ASSERT_TRUE(world.until([&] { return blob_gets() == 1; }));
  const auto first = world.begin(world.blob_request(digest));
  const auto second = world.begin(world.blob_request(digest, "bytes=100-199"));
  ASSERT_TRUE(world.until([&] { return first->has_value() && second->has_value(); }));
  expect_config(**first);
  EXPECT_EQ((*second)->status, 206);
  EXPECT_TRUE((*second)->body == world.text().substr(100, 100));
  EXPECT_EQ(blob_gets(), 1U);
}

TEST_F(SmallBlobsAhead, JoinedBlobThatDoesNotComeIsAskedForOnceMore) {
  world.registry.blob_delay = std::chrono::milliseconds(50);
  world.registry.blob_status = 500;
  world.options.swarm_stall = std::chrono::seconds(5);
  world.start();
  world.get(manifest_request());
  ASSERT_TRUE(world.until([&] { return blob_gets() == 1; }));
  const auto got = world.begin(world.blob_request(digest));
  ASSERT_TRUE(failed(1));
  world.registry.blob_status = 0;
  ASSERT_TRUE(world.until([&] { return got->has_value(); }));
  expect_config(**got);
}

TEST_F(SmallBlobsAhead, BlobThatARequestIsFetchingIsLeftToIt) {
  world.registry.blob_delay = std::chrono::milliseconds(100);
  world.start();
  const auto got = world.begin(world.blob_request(digest));
  ASSERT_TRUE(world.until([&] { return blob_gets() == 1; }));
  world.get(manifest_request());
  ASSERT_TRUE(world.until([&] { return got->has_value(); }));
  expect_config(**got);
  world.pump();
  EXPECT_EQ(blob_gets(), 1U);
}

TEST_F(SmallBlobsAhead, ManyManifestsAtOnceCostOneFetchAndCachedBlobsNone) {
  world.registry.blob_delay = std::chrono::milliseconds(30);
  const auto layer = world.registry.add(Bytes(20, 7));
  world.registry.manifest = manifest(descriptor(digest.str(), 700), {descriptor(layer.str(), 20)});
  world.start();
  std::vector<std::shared_ptr<std::optional<test::Got>>> all;
  for (int i = 0; i < 8; ++i) all.push_back(world.begin(manifest_request()));
  for (const auto& got : all) {
    ASSERT_TRUE(world.until([&] { return got->has_value(); }));
    EXPECT_EQ((*got)->body, world.registry.manifest);
  }
  ASSERT_TRUE(kept(2));
  world.get(manifest_request());
  world.pump(std::chrono::milliseconds(50));
  EXPECT_EQ(blob_gets(), 2U);
  EXPECT_EQ(world.registry.most_at_once, 1U);
}

TEST_F(SmallBlobsAhead, TenThousandSmallBlobsCostNoMoreThanTheLimit) {
  json::array layers;
  for (int i = 0; i < 9999; ++i) layers.push_back(descriptor(nobody(i), 10));
  world.registry.manifest = manifest(descriptor(digest.str(), 700), layers);
  world.start();
  const auto got = world.get(manifest_request());
  EXPECT_TRUE(got.body == world.registry.manifest);
  ASSERT_TRUE(world.until([&] { return count("failed") >= 63; }));
  world.pump(std::chrono::milliseconds(50));
  EXPECT_EQ(blob_gets(), 64U);
  EXPECT_EQ(count("kept"), 1);
}

TEST_F(SmallBlobsAhead, WrongSizesAreNotKept) {
  for (const std::uint64_t size : {699U, 701U}) {
    world.registry.manifest = manifest(descriptor(digest.str(), size));
    if (!world.agent) world.start();
    EXPECT_EQ(world.get(manifest_request()).body, world.registry.manifest);
    ASSERT_TRUE(failed(size == 699 ? 1 : 2));
  }
  world.registry.stop();
  const auto got = world.get(world.blob_request(digest));
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.body.find(world.text().substr(0, 20)), std::string::npos);
}

TEST_F(SmallBlobsAhead, BytesOfAnotherDigestAreNotKeptAndDoNotSpoilTheBlob) {
  const Bytes right = world.registry.blobs[digest.str()];
  world.registry.blobs[digest.str()][3] ^= 1;
  world.start();
  world.get(manifest_request());
  ASSERT_TRUE(failed(1));
  world.registry.blobs[digest.str()] = right;
  expect_config(world.get(world.blob_request(digest)));
  EXPECT_EQ(blob_gets(), 2U);
}

TEST_F(SmallBlobsAhead, NobodyWithoutLeaveHasItFromTheCache) {
  world.registry.demanded = "Bearer good";
  world.tracker->on_ticket =
      [&](const clients::TicketRequest& request) -> Result<clients::TicketReply> {
    if (request.authorization && request.authorization->reveal() == "Bearer banned") {
      return denied("pull_denied");
    }
    if (!request.authorization || request.authorization->reveal() != "Bearer good") {
      return unauthorized("registry_unauthorized");
    }
    return world.grant(request);
  };
  world.start();
  EXPECT_EQ(world.get(manifest_request("Bearer good")).status, 200);
  ASSERT_TRUE(kept(1));
  for (const auto& [who, status] :
       {std::pair("Bearer bad", 401), std::pair("Bearer banned", 403)}) {
    auto request = world.blob_request(digest);
    request.headers.add("Authorization", who);
    const auto got = world.get(std::move(request));
    EXPECT_EQ(got.status, status);
    EXPECT_EQ(got.body.find(world.text().substr(0, 20)), std::string::npos);
  }
  EXPECT_EQ(world.audit.count("pull.refuse"), 2U);
  auto request = world.blob_request(digest);
  request.headers.add("Authorization", "Bearer good");
  expect_config(world.get(std::move(request)));
  EXPECT_EQ(blob_gets(), 1U);
}

TEST_F(SmallBlobsAhead, TheRequestsOwnCredentialFetchesThem) {
  world.registry.demanded = "Bearer good";
  world.options.registries[0].user = "node";
  world.options.registries[0].password = Secret("canary-password");
  world.start();
  EXPECT_EQ(world.get(manifest_request("Bearer bad")).status, 401);
  EXPECT_EQ(world.get(manifest_request("Bearer good")).status, 200);
  ASSERT_TRUE(kept(1));
  for (const auto& seen : world.registry.seen) {
    if (seen.target.find("/blobs/") == std::string::npos) continue;
    EXPECT_EQ(seen.headers.get("Authorization"), "Bearer good");
    EXPECT_EQ(seen.target, world.blob_target(digest));
  }
  EXPECT_EQ(world.log->text().find("Bearer good"), std::string::npos);
}

TEST_F(SmallBlobsAhead, ARefusalEndsTheRun) {
  json::array layers;
  for (int i = 0; i < 5; ++i) layers.push_back(descriptor(nobody(i), 10));
  world.registry.manifest = manifest(descriptor(digest.str(), 700), layers);
  world.registry.blob_status = 403;
  world.start();
  EXPECT_EQ(world.get(manifest_request()).body, world.registry.manifest);
  ASSERT_TRUE(failed(1));
  world.pump();
  EXPECT_EQ(blob_gets(), 1U);
}

TEST_F(SmallBlobsAhead, OtherAnswersArePassedOnUntouched) {
  world.start();
  const std::string config = json::serialize(descriptor(digest.str(), 700));
  const std::string good = world.registry.manifest;
  struct Case {
    std::string type;
    std::string body;
  };
  const std::string oci_type(oci::kMediaOciManifest);
  for (const auto& [type, body] :
       {Case{oci_type, "{"}, Case{oci_type, ""}, Case{oci_type, R"({"config":)" + config + "}"},
        Case{oci_type, std::string(5 << 20, ' ') + good}, Case{"text/plain", good},
        Case{std::string(oci::kMediaOciIndex),
             R"({"schemaVersion":2,"manifests":[)" + config + "]}"},
        Case{std::string(oci::kMediaDockerManifest), good}}) {
    world.registry.manifest = body;
    world.registry.manifest_type = type;
    const auto got = world.get(manifest_request());
    EXPECT_TRUE(got.body == body) << type;
    EXPECT_EQ(got.headers.get("Content-Type"), type);
  }
  world.registry.manifest = good;
  world.registry.manifest_type = oci_type;
  world.registry.manifest_status = 404;
  EXPECT_EQ(world.get(manifest_request()).status, 404);
  world.registry.manifest_status = 200;
  world.get(world.request("HEAD", "/v2/team/app/manifests/latest"));
  world.pump(std::chrono::milliseconds(50));
  EXPECT_EQ(blob_gets(), 0U);
}

TEST_F(SmallBlobsAhead, DockersTypeWithParametersIsAManifestToo) {
  world.registry.manifest = json::serialize(
      json::object{{"schemaVersion", 2}, {"config", descriptor(digest.str(), 700)}});
  world.registry.manifest_type = std::string(oci::kMediaDockerManifest) + "; charset=utf-8";
  world.start();
  world.get(manifest_request());
  EXPECT_TRUE(kept(1));
}

TEST_F(SmallBlobsAhead, WithoutSmallBlobsNothingIsTaken) {
  world.options.small_blob_limit = 0;
  world.start();
  world.get(manifest_request());
  world.pump(std::chrono::milliseconds(50));
  EXPECT_EQ(blob_gets(), 0U);
}

TEST_F(SmallBlobsAhead, StoppingDoesNotWaitForThem) {
  world.registry.blob_delay = std::chrono::seconds(20);
  world.start();
  world.get(manifest_request());
  ASSERT_TRUE(world.until([&] { return blob_gets() == 1; }));
  const auto before = std::chrono::steady_clock::now();
  world.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST_F(SmallBlobsAhead, ASilentRegistryHoldsNoManifestUp) {
  world.registry.blob_delay = std::chrono::seconds(20);
  world.start();
  // More manifests than are worked on at once, each of another digest.
  for (int i = 0; i < 20; ++i) {
    world.registry.manifest =
        manifest(descriptor(digest.str(), 700), json::array{descriptor(nobody(i), 10)});
    EXPECT_EQ(world.get(manifest_request()).body, world.registry.manifest);
  }
  EXPECT_LE(blob_gets(), 16U);
}

std::vector<agent::SmallBlob> pick(const std::string& body, std::uint64_t limit = 65536) {
  return agent::small_blobs_of(body, oci::kMediaOciManifest, limit);
}

TEST(SmallPick, TakesConfigFirstAndOnlyWhatIsBelowTheLimit) {
  auto foreign = descriptor(nobody(7), 5);
  foreign["urls"] = json::array{"https://elsewhere.example/x"};
  const auto got = pick(
      manifest(descriptor(nobody(0), 999),
               {descriptor(nobody(1), 1000), descriptor(nobody(2), 1), descriptor(nobody(3), 0),
                descriptor(nobody(2), 1), descriptor(nobody(0), 999), foreign}),
      1000);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].digest.str(), nobody(0));
  EXPECT_EQ(got[0].size, 999U);
  EXPECT_EQ(got[1].digest.str(), nobody(2));
}

TEST(SmallPick, BytesTogetherAreBounded) {
  const std::uint64_t half = agent::kMaxSmallBytes / 2;
  const auto got = pick(manifest(descriptor(nobody(0), half),
                                 {descriptor(nobody(1), half + 1), descriptor(nobody(2), half),
                                  descriptor(nobody(3), 1)}),
                        agent::kMaxSmallBytes * 2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[1].digest.str(), nobody(2));
  EXPECT_TRUE(pick(manifest(descriptor(nobody(0), INT64_MAX)), UINT64_MAX).empty());
}

TEST(SmallPick, TheirNumberIsBounded) {
  json::array layers;
  for (int i = 1; i < 65; ++i) layers.push_back(descriptor(nobody(i), 1));
  const auto got = pick(manifest(descriptor(nobody(0), 1), layers));
  ASSERT_EQ(got.size(), agent::kMaxSmallBlobs);
  EXPECT_EQ(got.back().digest.str(), nobody(63));
}

}  // namespace
}  // namespace convoy
