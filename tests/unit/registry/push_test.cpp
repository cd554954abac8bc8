#include <gtest/gtest.h>

#include "support/registry_world.hpp"

// Pushing blobs (distribution-spec, "Pushing blobs").
namespace convoy::registry {
namespace {

using test::Answer;
using test::Ask;
using test::digest_of;
using test::sample_text;

class PushTest : public ::testing::Test {
 protected:
  Answer post(const std::string& query = {}, const std::string& body = {}) {
    return world_.send({.method = "POST",
                        .target = "/v2/team/app/blobs/uploads/" + query,
                        .body = body,
                        .headers = {},
                        .token = token_});
  }
  std::string begin() {
    const auto begun = post();
    EXPECT_EQ(begun.status, 202);
    return begun.header("Location");
  }
  Answer patch(const std::string& location, const std::string& body, const std::string& range = {},
               bool chunked = false) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!range.empty()) headers.emplace_back("Content-Range", range);
    return world_.send({.method = "PATCH",
                        .target = location,
                        .body = body,
                        .headers = headers,
                        .token = token_,
                        .chunked = chunked});
  }
  Answer put(const std::string& location, const std::string& digest, const std::string& body = {},
             const std::string& range = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!range.empty()) headers.emplace_back("Content-Range", range);
    return world_.send({.method = "PUT",
                        .target = location + "?digest=" + digest,
                        .body = body,
                        .headers = headers,
                        .token = token_});
  }
  void expect_stored(const std::string& bytes, const std::string& digest) {
    const auto got = world_.get("/v2/team/app/blobs/" + digest, token_);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, bytes);
  }

  test::RegistryWorld world_;
  std::string token_ = world_.all("team/app");
};

TEST_F(PushTest, PostThenPut) {
  const auto begun = post();
  ASSERT_EQ(begun.status, 202);
  EXPECT_EQ(begun.header("Range"), "0-0");
  EXPECT_EQ(begun.header("Docker-Upload-UUID").size(), 32u);
  EXPECT_EQ(begun.header("Location"),
            "/v2/team/app/blobs/uploads/" + begun.header("Docker-Upload-UUID"));
  const auto bytes = sample_text(300'000);
  const auto done = put(begun.header("Location"), digest_of(bytes), bytes);
  ASSERT_EQ(done.status, 201);
  EXPECT_EQ(done.header("Location"), "/v2/team/app/blobs/" + digest_of(bytes));
  EXPECT_EQ(done.header("Docker-Content-Digest"), digest_of(bytes));
  expect_stored(bytes, digest_of(bytes));
}

TEST_F(PushTest, SinglePost) {
  const auto bytes = sample_text(70'000);
  const auto done = post("?digest=" + digest_of(bytes), bytes);
  EXPECT_EQ(done.status, 201);
  expect_stored(bytes, digest_of(bytes));
}

TEST_F(PushTest, DockerStyleOnePatchWithoutRangeAndAnEmptyPut) {
  const auto bytes = sample_text(1'000'000);
  const auto location = begin();
  const auto patched = patch(location, bytes, {}, true);
  ASSERT_EQ(patched.status, 202);
  EXPECT_EQ(patched.header("Range"), "0-999999");
  EXPECT_FALSE(patched.header("Docker-Upload-UUID").empty());
  EXPECT_EQ(put(patched.header("Location"), digest_of(bytes)).status, 201);
  expect_stored(bytes, digest_of(bytes));
}

TEST_F(PushTest, ChunksInOrderAndTheLastInThePut) {
  const auto bytes = sample_text(250'000);
  const auto location = begin();
  EXPECT_EQ(patch(location, bytes.substr(0, 100'000), "0-99999").status, 202);
  EXPECT_EQ(patch(location, bytes.substr(100'000, 100'000), "100000-199999").status, 202);
  const auto status = world_.get(location, token_);
  EXPECT_EQ(status.status, 204);
  EXPECT_EQ(status.header("Range"), "0-199999");
  EXPECT_EQ(put(location, digest_of(bytes), bytes.substr(200'000), "200000-249999").status, 201);
  expect_stored(bytes, digest_of(bytes));
}

TEST_F(PushTest, ChunkOutOfOrderIs416AndTheUploadGoesOn) {
  const auto bytes = sample_text(3000);
  const auto location = begin();
  EXPECT_EQ(patch(location, bytes.substr(1000, 1000), "1000-1999").status, 416);
  EXPECT_EQ(patch(location, bytes.substr(0, 1000), "0-999").status, 202);
  const auto again = patch(location, bytes.substr(0, 1000), "0-999");
  EXPECT_EQ(again.status, 416);
  EXPECT_EQ(again.header("Range"), "0-999");
  EXPECT_EQ(put(location, digest_of(bytes), bytes.substr(2000), "2000-2999").status, 416);
  const auto status = world_.get(location, token_);
  EXPECT_EQ(status.status, 204);
  EXPECT_EQ(status.header("Range"), "0-999");
  EXPECT_EQ(patch(location, bytes.substr(1000), "1000-2999").status, 202);
  EXPECT_EQ(put(location, digest_of(bytes)).status, 201);
  expect_stored(bytes, digest_of(bytes));
}

TEST_F(PushTest, ContentRangeThatIsNoneOrLies) {
  const auto location = begin();
  EXPECT_EQ(patch(location, "abc", "nonsense").status, 400);
  EXPECT_EQ(patch(location, "abc", "0-9").status, 400);
  EXPECT_EQ(patch(location, "abc", "2-0").status, 400);
  EXPECT_EQ(patch(location, "abc", "0-3", true).status, 400);
}

TEST_F(PushTest, WrongDigestIs400InEveryStyle) {
  const auto wrong = digest_of("something else");
  EXPECT_EQ(put(begin(), wrong, "bytes").status, 400);
  EXPECT_EQ(post("?digest=" + wrong, "bytes").status, 400);
  const auto location = begin();
  EXPECT_EQ(patch(location, "bytes").status, 202);
  EXPECT_EQ(put(location, wrong).status, 400);
  EXPECT_EQ(world_.get(location, token_).status, 404);
  EXPECT_EQ(world_.get("/v2/team/app/blobs/" + digest_of("bytes"), token_).status, 404);
  EXPECT_EQ(world_.get("/v2/team/app/blobs/" + wrong, token_).status, 404);
}

TEST_F(PushTest, DigestThatIsNoneIs400) {
  for (const std::string& bad :
       std::vector<std::string>{"", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e",
                                "sha256:..%2f..", "SHA256:" + std::string(64, 'a')}) {
    EXPECT_EQ(put(begin(), bad, "x").status, 400) << bad;
  }
  EXPECT_EQ(
      world_.send({.method = "PUT", .target = begin(), .body = "x", .headers = {}, .token = token_})
          .status,
      400);
}

TEST_F(PushTest, EmptyBlobInEveryStyle) {
  const auto empty = digest_of("");
  EXPECT_EQ(put(begin(), empty).status, 201);
  EXPECT_EQ(post("?digest=" + empty).status, 201);
  const auto location = begin();
  const auto patched = patch(location, "");
  EXPECT_EQ(patched.status, 202);
  EXPECT_EQ(patched.header("Range"), "0-0");
  EXPECT_EQ(put(location, empty).status, 201);
  const auto got = world_.get("/v2/team/app/blobs/" + empty, token_);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("Content-Length"), "0");
}

TEST_F(PushTest, Sha512IsADigestLikeTheOther) {
  const auto bytes = sample_text(100'000);
  const auto digest = test::sha512_of(bytes);
  EXPECT_EQ(put(begin(), digest, bytes).status, 201);
  const auto got = world_.get("/v2/team/app/blobs/" + digest, token_);
  EXPECT_EQ(got.body, bytes);
  EXPECT_EQ(got.header("Docker-Content-Digest"), digest);
  const auto other = sample_text(100'000, 2);
  const auto begun = post("?digest-algorithm=sha512");
  EXPECT_EQ(put(begun.header("Location"), test::sha512_of(other), other).status, 201);
  EXPECT_EQ(post("?digest-algorithm=md5").status, 400);
  EXPECT_EQ(put(begin(), test::sha512_of("a"), "b").status, 400);
}

TEST_F(PushTest, CancelledUploadIsGone) {
  const auto location = begin();
  EXPECT_EQ(
      world_
          .send(
              {.method = "DELETE", .target = location, .body = {}, .headers = {}, .token = token_})
          .status,
      204);
  EXPECT_EQ(world_.get(location, token_).status, 404);
  EXPECT_EQ(patch(location, "x").status, 404);
  EXPECT_EQ(put(location, digest_of("x"), "x").status, 404);
}

TEST_F(PushTest, UploadBelongsToItsRepositoryAndUser) {
  const auto location = begin();
  const auto id = location.substr(location.rfind('/') + 1);
  const auto other = world_.all("team/other");
  EXPECT_EQ(world_.get("/v2/team/other/blobs/uploads/" + id, other).status, 404);
  const auto bob = world_.token("bob", "repository:team/app:pull,push");
  EXPECT_EQ(world_.get(location, bob).status, 404);
  for (const char* bad : {"0", "..", "ffffffffffffffffffffffffffffffff"}) {
    EXPECT_NE(world_.get(std::string("/v2/team/app/blobs/uploads/") + bad, token_).status, 204);
  }
}

TEST_F(PushTest, UploadSurvivesARestart) {
  const auto bytes = sample_text(700'000);
  const auto location = begin();
  ASSERT_EQ(patch(location, bytes.substr(0, 400'000)).status, 202);
  world_.restart();
  EXPECT_EQ(world_.get(location, token_).header("Range"), "0-399999");
  ASSERT_EQ(patch(location, bytes.substr(400'000, 200'000), "400000-599999").status, 202);
  EXPECT_EQ(put(location, digest_of(bytes), bytes.substr(600'000)).status, 201);
  expect_stored(bytes, digest_of(bytes));
}

TEST_F(PushTest, AcknowledgedBlobsSurviveARestart) {
  const auto digest = world_.push_blob("team/app", "bytes");
  world_.restart();
  expect_stored("bytes", digest);
}

TEST_F(PushTest, MountNeedsPullOnTheSource) {
  const auto bytes = sample_text(1000);
  const auto digest = world_.push_blob("team/secret", bytes);
  const auto target = "?mount=" + digest + "&from=team/secret";
  // CVE-2024-39897: knowing the digest is not enough.
  const auto only_app = post(target);
  EXPECT_EQ(only_app.status, 202);
  EXPECT_FALSE(only_app.header("Location").empty());
  EXPECT_EQ(world_.get("/v2/team/app/blobs/" + digest, token_).status, 404);
  EXPECT_EQ(post("?mount=" + digest).status, 202);
  EXPECT_EQ(post("?mount=" + digest + "&from=No%20Name").status, 202);

  token_ = world_.token("ann", "repository:team/app:pull,push repository:team/secret:pull");
  const auto mounted = post(target);
  EXPECT_EQ(mounted.status, 201);
  EXPECT_EQ(mounted.header("Location"), "/v2/team/app/blobs/" + digest);
  expect_stored(bytes, digest);
  EXPECT_EQ(post("?mount=" + digest_of("unknown") + "&from=team/secret").status, 202);
  EXPECT_EQ(post("?mount=sha256:abc&from=team/secret").status, 400);
}

TEST_F(PushTest, MountWithoutASourceLooksWhereTheTokenReads) {
  const auto digest = world_.push_blob("team/secret", "kept");
  EXPECT_EQ(post("?mount=" + digest).status, 202);
  token_ = world_.token("ann", "repository:team/app:pull,push repository:team/secret:push");
  EXPECT_EQ(post("?mount=" + digest).status, 202);
  token_ = world_.token("ann", "repository:team/app:pull,push repository:team/secret:pull");
  EXPECT_EQ(post("?mount=" + digest).status, 201);
  expect_stored("kept", digest);
}

TEST_F(PushTest, MountWithoutASourceFindsWhatEveryoneReads) {
  const auto digest = world_.push_blob("public/base", "shared");
  EXPECT_EQ(post("?mount=" + digest).status, 201);
  expect_stored("shared", digest);
  const auto named = world_.push_blob("public/base", "also shared");
  EXPECT_EQ(post("?mount=" + named + "&from=public/base").status, 201);
}

TEST_F(PushTest, MountChallengeAsksForTheSourceAsWell) {
  token_.clear();
  const auto refused = post("?mount=" + digest_of("x") + "&from=team/base");
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.header("WWW-Authenticate")
                .find("repository:team/app:pull,push repository:team/base:pull"),
            std::string::npos);
}

TEST_F(PushTest, PullTokenDoesNotPush) {
  token_ = world_.token("bob", "repository:team/app:pull");
  EXPECT_EQ(post().status, 401);
  EXPECT_EQ(world_.audit.count("push.refuse", "token_insufficient_scope"), 1u);
}

TEST_F(PushTest, AuditNamesTheBlobThatWasPushed) {
  const auto digest = world_.push_blob("team/app", "bytes");
  ASSERT_EQ(world_.audit.count("push.grant"), 1u);
  const auto event = world_.audit.events().back();
  EXPECT_EQ(event.actor, "ann");
  EXPECT_EQ(event.repository, "team/app");
  EXPECT_EQ(event.digest, digest);
  EXPECT_EQ(event.remote_ip, "127.0.0.1");
}

TEST(PushLimits, BlobOfTheLimitAndOnePast) {
  test::RegistryWorld world([](RegistryOptions& o) { o.limits.blob_bytes = 1000; });
  const auto token = world.all("team/app");
  const auto put = [&](std::size_t size, bool chunked) {
    const auto bytes = sample_text(size);
    const auto begun = world.send({.method = "POST",
                                   .target = "/v2/team/app/blobs/uploads/",
                                   .body = {},
                                   .headers = {},
                                   .token = token});
    return world
        .send({.method = "PUT",
               .target = begun.header("Location") + "?digest=" + digest_of(bytes),
               .body = bytes,
               .headers = {},
               .token = token,
               .chunked = chunked})
        .status;
  };
  EXPECT_EQ(put(1000, false), 201);
  EXPECT_EQ(put(1001, false), 413);
  EXPECT_EQ(put(1000, true), 201);
  EXPECT_EQ(put(1001, true), 413);
}

TEST(PushLimits, UploadsOfOneUserAtATime) {
  test::RegistryWorld world([](RegistryOptions& o) { o.limits.uploads_per_user = 2; });
  const auto begin = [&](const std::string& who) {
    return world.send({.method = "POST",
                       .target = "/v2/team/app/blobs/uploads/",
                       .body = {},
                       .headers = {},
                       .token = world.token(who, "repository:team/app:pull,push")});
  };
  EXPECT_EQ(begin("ann").status, 202);
  const auto second = begin("ann");
  EXPECT_EQ(second.status, 202);
  const auto refused = begin("ann");
  EXPECT_EQ(refused.status, 429);
  EXPECT_FALSE(refused.header("Retry-After").empty());
  EXPECT_EQ(begin("bob").status, 202);
  world.send({.method = "DELETE",
              .target = second.header("Location"),
              .body = {},
              .headers = {},
              .token = world.all("team/app")});
  EXPECT_EQ(begin("ann").status, 202);
}

}  // namespace
}  // namespace convoy::registry
