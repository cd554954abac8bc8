#include <gtest/gtest.h>

#include "support/agent_world.hpp"

namespace convoy {
namespace {

constexpr std::size_t kSize = 300 * 1024 + 7;

class MirrorAttack : public ::testing::Test {
 protected:
  test::AgentWorld world;
};

TEST_F(MirrorAttack, WrongBytesFromTheRegistryAreNeverComplete) {
  const auto digest = world.blob(kSize);
  world.registry.blobs[digest.str()][kSize - 1] ^= 1;
  world.tracker->on_ticket = nullptr;
  world.start();
  const auto got = world.get(world.blob_request(digest));
  EXPECT_TRUE(got.cut);
  EXPECT_LT(got.body.size(), kSize);
  // Nothing of it was kept, and the next request does not get it either.
  world.pump();
  const auto again = world.get(world.blob_request(digest));
  EXPECT_TRUE(again.cut);
  EXPECT_LT(again.body.size(), kSize);
  EXPECT_NE(world.log->text().find("do not match its digest"), std::string::npos);
}

TEST_F(MirrorAttack, WrongSmallBlobIsAnErrorAndNotABlob) {
  const auto digest = world.blob(100);
  world.registry.blobs[digest.str()][0] ^= 1;
  world.start();
  const auto got = world.get(world.blob_request(digest));
  EXPECT_EQ(got.status, 503);
}

TEST_F(MirrorAttack, RegistryThatFailsTheSignedTreeIsNotBelieved) {
  const auto digest = world.blob(kSize);
  world.registry.blobs[digest.str()][20000] ^= 1;
  world.peers_known = false;
  world.start();
  const auto got = world.get(world.blob_request(digest));
  EXPECT_LE(got.body.size(), 16384U);
  EXPECT_TRUE(got.cut);
}

TEST_F(MirrorAttack, WrongLengthFromTheRegistry) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = nullptr;
  world.start();
  world.registry.before_blob = [&] { world.registry.blobs[digest.str()].resize(kSize / 2); };
  const auto got = world.get(world.blob_request(digest));
  EXPECT_TRUE(got.cut || got.status == 503);
  EXPECT_LT(got.body.size(), kSize);
}

TEST_F(MirrorAttack, CachedBlobNeedsLeaveNow) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  auto first = world.blob_request(digest);
  first.headers.add("Authorization", "Bearer alice");
  EXPECT_EQ(world.get(std::move(first)).status, 200);
  world.tracker->on_ticket = [](const clients::TicketRequest& r) -> Result<clients::TicketReply> {
    if (r.authorization && r.authorization->reveal() == "Bearer alice")
      return denied("pull_denied");
    return unauthorized("token_expired");
  };
  world.registry.demanded = "Bearer nobody";
  auto stranger = world.blob_request(digest);
  stranger.headers.add("Authorization", "Bearer mallory");
  const auto refused = world.get(std::move(stranger));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body.find(world.text().substr(0, 64)), std::string::npos);
  EXPECT_NE(refused.headers.get("WWW-Authenticate"), std::nullopt);
  EXPECT_GE(world.audit.count("pull.refuse"), 1U);
}

TEST_F(MirrorAttack, RefusedCredentialOfTheNodeIsRecordedAndChallenged) {
  const auto digest = world.blob(kSize);
  world.options.registries[0].user = "node";
  world.options.registries[0].password = Secret("old-pw");
  world.registry.demanded = "Bearer nobody";
  world.registry.token_status = 401;
  world.start();
  for (const std::string method : {"GET", "HEAD"}) {
    const auto before = world.audit.count("pull.refuse", "registry_unauthorized");
    const auto got = world.get(world.request(method, world.blob_target(digest)));
    EXPECT_EQ(got.status, 401) << method;
    EXPECT_TRUE(got.headers.has("WWW-Authenticate")) << method;
    EXPECT_EQ(world.audit.count("pull.refuse", "registry_unauthorized"), before + 1) << method;
  }
}

TEST_F(MirrorAttack, RefusedHeadIsRecorded) {
  const auto digest = world.blob(kSize);
  world.registry.demanded = "Bearer nobody";
  world.start();
  auto request = world.request("HEAD", world.blob_target(digest));
  request.headers.add("Authorization", "Bearer mallory");
  EXPECT_EQ(world.get(std::move(request)).status, 401);
  EXPECT_EQ(world.audit.count("pull.refuse", "registry_unauthorized"), 1U);
  EXPECT_EQ(world.audit.count("pull.grant"), 0U);
}

TEST_F(MirrorAttack, DenialOfTheTrackerIsFinal) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = [](const clients::TicketRequest&) -> Result<clients::TicketReply> {
    return denied("pull_denied");
  };
  world.start();
  const auto got = world.get(world.blob_request(digest));
  EXPECT_EQ(got.status, 403);
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 0U);
  EXPECT_EQ(world.audit.count("pull.refuse", "pull_denied"), 1U);
}

TEST_F(MirrorAttack, WhatOnlyTheRegistryAllowsComesFromTheRegistryOnly) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  EXPECT_EQ(world.get(world.blob_request(digest)).status, 200);
  world.tracker->on_ticket = [](const clients::TicketRequest&) -> Result<clients::TicketReply> {
    return unauthorized("token_expired");
  };
  auto request = world.blob_request(digest);
  request.headers.add("Authorization", "Bearer other");
  const auto got = world.get(std::move(request));
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.body == world.text());
  EXPECT_EQ(world.registry.count("GET", "/blobs/"), 1U);
}

TEST_F(MirrorAttack, NobodyToAskMeansNoBytes) {
  const auto digest = world.blob(kSize);
  world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
  world.start();
  EXPECT_EQ(world.get(world.blob_request(digest)).status, 200);
  world.tracker->on_ticket = nullptr;
  world.registry.stop();
  auto request = world.blob_request(digest);
  request.headers.add("Authorization", "Bearer other");
  const auto got = world.get(std::move(request));
  EXPECT_EQ(got.status, 503);
}

TEST_F(MirrorAttack, NoSourceLeftIsSaidSoonAndNotStalled) {
  const auto digest = world.blob(kSize);
  world.peers_known = false;
  world.start();
  world.registry.stop();
  const auto before = std::chrono::steady_clock::now();
  auto request = world.blob_request(digest);
  request.headers.add("Authorization", "Bearer user");
  EXPECT_EQ(world.get(std::move(request)).status, 503);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST_F(MirrorAttack, UnknownBlobIs404) {
  world.blob(kSize);
  world.start();
  const auto missing = oci::Digest::sha256(crypto::sha256(as_bytes("nothing")));
  EXPECT_EQ(world.get(world.blob_request(missing)).status, 404);
}

TEST_F(MirrorAttack, MetadataOfAnotherKeyIsNotUsed) {
  const auto digest = world.blob(kSize);
  test::TestRegistryKeys forged(world.clock, "registry.test");
  world.tracker->on_ticket = [&](const clients::TicketRequest& r) {
    auto reply = world.grant(r);
    reply->metadata = forged.metadata().sign(world.meta_of(r.digest, world.content));
    return reply;
  };
  world.start();
  const auto got = world.get(world.blob_request(digest));
  EXPECT_EQ(got.status, 200);  // from the registry
  EXPECT_EQ(world.engine->added, 0);
  EXPECT_EQ(world.audit.count("metadata.refuse", "metadata_signature"), 1U);
}

TEST_F(MirrorAttack, InfoHashOfAnotherClusterIsNotUsed) {
  const auto digest = world.blob(kSize);
  world.tracker->on_ticket = [&](const clients::TicketRequest& r) {
    auto reply = world.grant(r);
    reply->info_hash = std::string(64, '0');
    return reply;
  };
  world.start();
  EXPECT_EQ(world.get(world.blob_request(digest)).status, 200);
  EXPECT_EQ(world.engine->added, 0);
  EXPECT_EQ(world.audit.count("metadata.refuse", "metadata_wrong_info_hash"), 1U);
}

TEST_F(MirrorAttack, PushesAreRefused) {
  world.start();
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    const auto got = world.get(world.request(method, "/v2/team/app/blobs/uploads/"));
    EXPECT_EQ(got.status, 405) << method;
    EXPECT_NE(got.body.find("UNSUPPORTED"), std::string::npos);
  }
  EXPECT_EQ(world.get(world.request("PUT", "/v2/team/app/manifests/latest")).status, 405);
  EXPECT_EQ(world.get(world.request("GET", "/v2/team/app/tags/list")).status, 405);
  EXPECT_TRUE(world.registry.seen.empty());
}

TEST_F(MirrorAttack, UnknownRegistryIs404) {
  const auto digest = world.blob(kSize);
  world.start();
  for (const char* ns : {"docker.io", "127.0.0.1", "..", "registry.test.evil", "%00"}) {
    const auto got = world.get(world.request("GET", world.blob_target(digest) + "?ns=" + ns));
    EXPECT_EQ(got.status, 404) << ns;
  }
  EXPECT_TRUE(world.registry.seen.empty());
  EXPECT_TRUE(world.tracker->tickets.empty());
}

TEST_F(MirrorAttack, PathsAreNames) {
  world.blob(kSize);
  world.start();
  for (const char* target :
       {"/v2/../blobs/sha256:00", "/v2/a/%2e%2e/blobs/x", "/v2/team%2fapp/blobs/sha256:zz",
        "/v2/team/app/blobs/../../../etc/passwd", "/v2//blobs/x",
        "/v2/team/app/manifests/%2e%2e%2f%2e%2e%2fetc"}) {
    const auto got = world.get(world.request("GET", target));
    EXPECT_EQ(got.status, 400) << target;
  }
  EXPECT_EQ(world.get(world.request("GET", "/etc/passwd")).status, 404);
  EXPECT_TRUE(world.registry.seen.empty());
}

TEST_F(MirrorAttack, MalformedAuthorizationIsRefused) {
  const auto digest = world.blob(kSize);
  world.start();
  const std::vector<std::string> malformed = {
      "Basic",  "",           "Basic ",      "Basic !!!",   "Basic YWxpY2U=", "Digest abc",
      "Bearer", "Bearer a b", "Basic  YTpi", "basic\tYTpi", "YTpi",           "Basic YTpi x"};
  for (const auto& value : malformed) {
    auto request = world.blob_request(digest);
    request.headers.add("Authorization", value);
    EXPECT_EQ(world.get(std::move(request)).status, 400) << value;
  }
  auto twice = world.blob_request(digest);
  twice.headers.add("Authorization", "Bearer a");
  twice.headers.add("Authorization", "Bearer b");
  EXPECT_EQ(world.get(std::move(twice)).status, 400);
  EXPECT_TRUE(world.tracker->tickets.empty());
  EXPECT_TRUE(world.registry.seen.empty());
}

/// A node whose token is from before its robot was granted the repository.
class LateGrant : public MirrorAttack {
 protected:
  LateGrant() {
    world.options.registries[0].user = "node";
    world.options.registries[0].password = Secret("pw");
    world.registry.token = "old";
    world.registry.demanded = "Bearer new";
    world.tracker->on_ticket = [this](const clients::TicketRequest& r) {
      const bool good = r.authorization && r.authorization->reveal() == "Bearer new";
      return good ? world.grant(r) : unauthorized("token_scope");
    };
    world.engine->on_add = [](test::FakeTorrent& t) { t.deliver_all(); };
    world.start();
  }
  void expect_one_fresh_token(const std::string& method, const std::string& target) {
    const auto status = [&] { return world.get(world.request(method, target)).status; };
    EXPECT_EQ(status(), 401);
    world.registry.token = "new";
    EXPECT_EQ(status(), 401) << "the token is of moments ago";
    EXPECT_EQ(world.registry.count("GET", "/token"), 1U);
    world.clock.advance(std::chrono::seconds(6));
    EXPECT_EQ(status(), 200);
    EXPECT_EQ(world.registry.count("GET", "/token"), 2U);
    EXPECT_EQ(status(), 200);
    EXPECT_EQ(world.registry.count("GET", "/token"), 2U);
  }
};

TEST_F(LateGrant, CountsForManifests) {
  expect_one_fresh_token("GET", "/v2/team/app/manifests/latest");
}

TEST_F(LateGrant, CountsForBlobs) {
  expect_one_fresh_token("GET", world.blob_target(world.blob(kSize)));
}

TEST_F(LateGrant, CountsForBlobsWithoutTheTracker) {
  world.tracker->on_ticket = nullptr;
  expect_one_fresh_token("GET", world.blob_target(world.blob(kSize)));
}

TEST_F(LateGrant, CountsForHeadsOfBlobs) {
  expect_one_fresh_token("HEAD", world.blob_target(world.blob(kSize)));
}

TEST_F(LateGrant, OfAClientsOwnTokenIsNoneOfOurs) {
  auto request = world.blob_request(world.blob(kSize));
  request.headers.add("Authorization", "Bearer old");
  world.registry.token = "new";
  world.clock.advance(std::chrono::seconds(6));
  EXPECT_EQ(world.get(std::move(request)).status, 401);
  EXPECT_EQ(world.registry.count("GET", "/token"), 0U);
}

TEST_F(MirrorAttack, SecretsAreInNoLogLine) {
  const auto digest = world.blob(kSize);
  world.options.registries[0].user = "node";
  world.options.registries[0].password = Secret("canary-node-password");
  world.registry.demanded = "Bearer canary-good";
  world.tracker->on_ticket = [](const clients::TicketRequest&) -> Result<clients::TicketReply> {
    return unauthorized("token_signature", "no");
  };
  world.start();
  auto user = world.blob_request(digest);
  user.headers.add("Authorization", "Bearer canary-user-token");
  world.get(std::move(user));
  world.get(world.blob_request(digest));
  auto good = world.blob_request(digest);
  good.headers.add("Authorization", "Bearer canary-good");
  world.get(std::move(good));
  auto manifest = world.request("GET", "/v2/team/app/manifests/latest?secret=canary-query");
  manifest.headers.add("Authorization", "Basic Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXB3");
  world.get(std::move(manifest));
  world.registry.stop();
  auto gone = world.blob_request(digest);
  gone.headers.add("Authorization", "Bearer canary-late");
  world.get(std::move(gone));
  const std::string text = world.log->text();
  EXPECT_EQ(text.find("canary"), std::string::npos) << text;
  EXPECT_EQ(text.find("from-realm"), std::string::npos);
  EXPECT_EQ(text.find("Y2FuYXJ5"), std::string::npos);
  EXPECT_EQ(world.agent->status_json().find("canary"), std::string::npos);
  EXPECT_EQ(world.metrics->text().find("canary"), std::string::npos);
  for (const auto& event : world.audit.events()) {
    for (const auto& [key, value] : event.extra) EXPECT_EQ(value.find("canary"), std::string::npos);
  }
}

}  // namespace
}  // namespace convoy
