#include <algorithm>
#include <gtest/gtest.h>

#include "registry/api/answer.hpp"
#include "support/registry_world.hpp"

// Pulling blobs and manifests, lists, deletion (distribution-spec, "Pull", "Content discovery",
// "Content management").
namespace convoy::registry {
namespace {

using test::Answer;
using test::digest_of;
using test::sample_text;

class PullTest : public ::testing::Test {
 protected:
  Answer get(const std::string& path,
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    return world_.get("/v2/team/app/" + path, token_, std::move(headers));
  }
  Answer remove(const std::string& path) {
    return world_.send({.method = "DELETE",
                        .target = "/v2/team/app/" + path,
                        .body = {},
                        .headers = {},
                        .token = token_});
  }
  test::RegistryWorld world_;
  std::string token_ = world_.all("team/app");
};

TEST_F(PullTest, BlobWithItsHeaders) {
  const auto bytes = sample_text(500'000);
  const auto digest = world_.push_blob("team/app", bytes);
  const auto got = get("blobs/" + digest);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, bytes);
  EXPECT_EQ(got.header("Docker-Content-Digest"), digest);
  EXPECT_EQ(got.header("Content-Length"), "500000");
  EXPECT_EQ(got.header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(got.header("ETag"), '"' + digest + '"');
  EXPECT_EQ(got.header("Docker-Distribution-Api-Version"), "registry/2.0");
  const auto head = world_.head("/v2/team/app/blobs/" + digest, token_);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "500000");
  EXPECT_EQ(head.header("Docker-Content-Digest"), digest);
  EXPECT_TRUE(head.body.empty());
}

TEST_F(PullTest, RangesOfTheConformanceSuite) {
  const auto bytes = sample_text(3000);
  const auto path = "blobs/" + world_.push_blob("team/app", bytes);
  const auto range = [&](const std::string& r) { return get(path, {{"Range", "bytes=" + r}}); };
  auto part = range("500-1499");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(500, 1000));
  EXPECT_EQ(part.header("Content-Range"), "bytes 500-1499/3000");
  EXPECT_EQ(range("500-").body, bytes.substr(500));
  EXPECT_EQ(range("-500").body, bytes.substr(2500));
  part = range("2000-5000");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.header("Content-Range"), "bytes 2000-2999/3000");
  const auto past = range("5000-10000");
  EXPECT_EQ(past.status, 416);
  EXPECT_EQ(past.header("Content-Range"), "bytes */3000");
  EXPECT_EQ(range("500-0").status, 416);
  EXPECT_EQ(range("2999-2999").body.size(), 1u);
  EXPECT_EQ(range("3000-").status, 416);
  EXPECT_EQ(range("0-0,5-6").status, 200);
}

TEST_F(PullTest, ConditionalRequests) {
  const auto digest = world_.push_blob("team/app", "bytes");
  const auto etag = '"' + digest + '"';
  EXPECT_EQ(get("blobs/" + digest, {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(get("blobs/" + digest, {{"If-None-Match", "\"x\", W/" + etag}}).status, 304);
  EXPECT_EQ(get("blobs/" + digest, {{"If-None-Match", "\"x\""}}).status, 200);
  EXPECT_EQ(get("blobs/" + digest, {{"Range", "bytes=1-"}, {"If-Range", etag}}).status, 206);
  EXPECT_EQ(get("blobs/" + digest, {{"Range", "bytes=1-"}, {"If-Range", "\"x\""}}).status, 200);
  const auto manifest = world_.push_image("team/app", "v1");
  EXPECT_EQ(get("manifests/v1", {{"If-None-Match", '"' + manifest + '"'}}).status, 304);
}

TEST_F(PullTest, BlobOfAnotherRepositoryIsNotThere) {
  const auto digest = world_.push_blob("team/secret", "secret");
  EXPECT_EQ(get("blobs/" + digest).status, 404);
  EXPECT_EQ(world_.head("/v2/team/app/blobs/" + digest, token_).status, 404);
  EXPECT_EQ(world_.get("/v2/team/secret/blobs/" + digest, token_).status, 401);
}

TEST_F(PullTest, DeletedInOneRepositoryReadInAnother) {
  // CVE-2026-35172.
  const auto digest = world_.push_blob("team/app", "shared");
  world_.push_blob("team/b", "shared");
  EXPECT_EQ(remove("blobs/" + digest).status, 202);
  EXPECT_EQ(world_.get("/v2/team/b/blobs/" + digest, world_.all("team/b")).status, 200);
  EXPECT_EQ(get("blobs/" + digest).status, 404);
  EXPECT_EQ(remove("blobs/" + digest).status, 404);
}

TEST_F(PullTest, ManifestByTagAndDigestAsItCame) {
  const auto config = world_.push_blob("team/app", "{}");
  const auto layer = world_.push_blob("team/app", "layer");
  const auto body =
      test::RegistryWorld::image(config, layer, R"(, "custom" : { "z":1,  "a":[ ] } )");
  const auto put = world_.put_manifest("team/app", "v1", body);
  ASSERT_EQ(put.status, 201);
  EXPECT_EQ(put.header("Docker-Content-Digest"), digest_of(body));
  EXPECT_EQ(put.header("Location"), "/v2/team/app/manifests/" + digest_of(body));
  for (const auto& reference : {std::string("v1"), digest_of(body)}) {
    const auto got = get("manifests/" + reference);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, body);
    EXPECT_EQ(got.header("Content-Type"), "application/vnd.oci.image.manifest.v1+json");
    EXPECT_EQ(got.header("Docker-Content-Digest"), digest_of(body));
    const auto head = world_.head("/v2/team/app/manifests/" + reference, token_);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("Content-Length"), std::to_string(body.size()));
    EXPECT_EQ(head.header("Content-Type"), "application/vnd.oci.image.manifest.v1+json");
  }
  EXPECT_EQ(get("manifests/v2").status, 404);
  EXPECT_EQ(get("manifests/sha256:abc").status, 400);
  EXPECT_EQ(get("manifests/" + digest_of("other")).status, 404);
}

TEST_F(PullTest, ManifestUnderSha512) {
  const auto config = world_.push_blob("team/app", "{}");
  const auto body = test::RegistryWorld::image(config, config);
  const auto digest = test::sha512_of(body);
  EXPECT_EQ(world_.put_manifest("team/app", digest, body).status, 201);
  const auto got = get("manifests/" + digest);
  EXPECT_EQ(got.body, body);
  EXPECT_EQ(got.header("Docker-Content-Digest"), digest);
}

TEST_F(PullTest, ManifestThatIsNone) {
  const auto config = world_.push_blob("team/app", "{}");
  const auto good = test::RegistryWorld::image(config, config);
  // Type confusion (CVE-2021-41190): the type of one kind, the members of both.
  EXPECT_EQ(
      world_.put_manifest("team/app", "x", good.substr(0, good.size() - 1) + R"(,"manifests":[]})")
          .status,
      400);
  EXPECT_EQ(
      world_.put_manifest("team/app", "x", good, "application/vnd.oci.image.index.v1+json").status,
      400);
  EXPECT_EQ(world_
                .put_manifest("team/app", "x", good,
                              "application/vnd.docker.distribution.manifest.v2+json")
                .status,
            400);
  EXPECT_EQ(world_.put_manifest("team/app", "x", good, "text/plain").status, 400);
  EXPECT_EQ(world_.put_manifest("team/app", "x", "{", "application/vnd.oci.image.manifest.v1+json")
                .status,
            400);
  EXPECT_EQ(world_.put_manifest("team/app", "x", "").status, 400);
  EXPECT_EQ(world_.put_manifest("team/app", digest_of("else"), good).status, 400);
  EXPECT_EQ(world_.put_manifest("team/app", "sha256:zz", good).status, 400);
  EXPECT_EQ(world_.put_manifest("team/app", "-bad", good).status, 400);
  const auto missing =
      world_.put_manifest("team/app", "x", test::RegistryWorld::image(config, digest_of("none")));
  EXPECT_EQ(missing.status, 400);
  EXPECT_NE(missing.body.find("MANIFEST_BLOB_UNKNOWN"), std::string::npos);
  EXPECT_NE(missing.body.find(digest_of("none")), std::string::npos);
  EXPECT_EQ(get("manifests/x").status, 404);
  EXPECT_EQ(world_
                .put_manifest("team/app", "x", good,
                              "application/vnd.oci.image.manifest.v1+json; charset=utf-8")
                .status,
            201);
  EXPECT_EQ(get("manifests/x").header("Content-Type"),
            "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(world_.put_manifest("team/app", "y", good, "").status, 201);
}

TEST_F(PullTest, ManifestOfTheLimitAndOnePast) {
  const auto config = world_.push_blob("team/app", "{}");
  const auto sized = [&](std::size_t size) {
    auto body = test::RegistryWorld::image(config, config, R"(,"pad":"")");
    body.insert(body.size() - 2, size - body.size(), 'x');
    return body;
  };
  EXPECT_EQ(world_.put_manifest("team/app", "big", sized(4 * 1024 * 1024)).status, 201);
  const auto refused = world_.put_manifest("team/app", "big", sized(4 * 1024 * 1024 + 1));
  EXPECT_EQ(refused.status, 413);
  EXPECT_NE(refused.body.find("MANIFEST_INVALID"), std::string::npos);
  EXPECT_EQ(world_
                .send({.method = "PUT",
                       .target = "/v2/team/app/manifests/big",
                       .body = sized(4 * 1024 * 1024 + 1),
                       .headers = {{"Content-Type", "application/vnd.oci.image.manifest.v1+json"}},
                       .token = token_,
                       .chunked = true})
                .status,
            413);
}

TEST_F(PullTest, IndexAfterItsManifests) {
  const auto index = [](const std::string& digest) {
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":)"
           R"("application/vnd.oci.image.manifest.v1+json","digest":")" +
           digest + R"(","size":7}]})";
  };
  const std::string type = "application/vnd.oci.image.index.v1+json";
  EXPECT_EQ(world_.put_manifest("team/app", "all", index(digest_of("none")), type).status, 400);
  const auto child = world_.push_image("team/app", "one");
  EXPECT_EQ(world_.put_manifest("team/app", "all", index(child), type).status, 201);
  EXPECT_EQ(get("manifests/all").header("Content-Type"), type);
}

TEST_F(PullTest, TagParametersOfAPushByDigest) {
  const auto config = world_.push_blob("team/app", "{}");
  const auto body = test::RegistryWorld::image(config, config);
  const auto done = world_.put_manifest("team/app", digest_of(body) + "?tag=a&tag=b", body);
  ASSERT_EQ(done.status, 201);
  EXPECT_EQ(done.headers.all("OCI-Tag").size(), 2u);
  EXPECT_EQ(get("manifests/b").body, body);
  EXPECT_EQ(world_.put_manifest("team/app", digest_of(body) + "?tag=-a", body).status, 400);
  std::string many = "?";
  for (int i = 0; i < 33; ++i) many += "&tag=t" + std::to_string(i);
  EXPECT_EQ(world_.put_manifest("team/app", digest_of(body) + many, body).status, 414);
}

TEST_F(PullTest, ReferrersWithSubjectAndFilter) {
  const auto subject = world_.push_image("team/app", "v1");
  EXPECT_EQ(get("referrers/" + subject).body.find("sha256"), std::string::npos);
  const auto more =
      R"(,"artifactType":"application/x.sig","annotations":{"k":"v"},"subject":{"mediaType":)"
      R"("application/vnd.oci.image.manifest.v1+json","digest":")" +
      subject + R"(","size":1})";
  const auto config = world_.push_blob("team/app", "{}");
  const auto body = test::RegistryWorld::image(config, config, more);
  const auto put = world_.put_manifest("team/app", digest_of(body), body);
  EXPECT_EQ(put.header("OCI-Subject"), subject);
  const auto list = get("referrers/" + subject);
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(list.header("Content-Type"), "application/vnd.oci.image.index.v1+json");
  EXPECT_NE(list.body.find(digest_of(body)), std::string::npos);
  EXPECT_NE(list.body.find(R"("artifactType":"application/x.sig")"), std::string::npos);
  EXPECT_NE(list.body.find(R"("annotations":{"k":"v"})"), std::string::npos);
  EXPECT_EQ(list.header("OCI-Filters-Applied"), "");
  const auto none = get("referrers/" + subject + "?artifactType=other");
  EXPECT_EQ(none.header("OCI-Filters-Applied"), "artifactType");
  EXPECT_EQ(none.body.find(digest_of(body)), std::string::npos);
  EXPECT_NE(
      get("referrers/" + subject + "?artifactType=application/x.sig").body.find(digest_of(body)),
      std::string::npos);
  EXPECT_EQ(get("referrers/" + digest_of("unknown")).status, 200);
  EXPECT_EQ(world_.get("/v2/team/none/referrers/" + subject, world_.all("team/none")).status, 200);
  EXPECT_EQ(get("referrers/zzz").status, 400);
}

TEST_F(PullTest, ReferrersWithLargeAnnotationsComeOnceEachInPages) {
  const auto subject = world_.push_image("team/app", "v1");
  const auto config = world_.push_blob("team/app", "{}");
  const auto artifact = [&](const std::string& note) {
    return test::RegistryWorld::image(
        config, config,
        R"(,"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
            subject + R"(","size":1},"annotations":{"n":")" + note + R"("})");
  };
  // Each of the largest fills a page alone.
  constexpr std::size_t kMax = oci::kMaxManifestBytes;
  std::vector<std::string> pushed;
  for (const std::size_t size : {kMax, kMax, kMax, kMax / 2, kMax / 3, kMax / 3}) {
    std::string note(size - artifact({}).size(), 'x');
    note.front() = static_cast<char>('a' + pushed.size());
    const auto body = artifact(note);
    ASSERT_EQ(world_.put_manifest("team/app", digest_of(body), body).status, 201);
    pushed.push_back(digest_of(body));
  }
  std::sort(pushed.begin(), pushed.end());
  std::vector<std::string> told;
  for (std::string next = "/v2/team/app/referrers/" + subject; !next.empty();) {
    const auto page = world_.get(next, token_);
    ASSERT_EQ(page.status, 200);
    const std::string key = R"("digest":")";
    for (auto at = page.body.find(key); at != std::string::npos; at = page.body.find(key, at + 1)) {
      told.push_back(page.body.substr(at + key.size(), subject.size()));
    }
    const auto link = page.header("Link");
    next = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(told, pushed);
}

TEST_F(PullTest, TagsInPages) {
  const auto digest = world_.push_image("team/app", "b");
  const auto body = get("manifests/b").body;
  for (const char* tag : {"a", "C", "d"})
    ASSERT_EQ(world_.put_manifest("team/app", tag, body).status, 201);
  EXPECT_EQ(get("tags/list").body, R"({"name":"team/app","tags":["a","b","C","d"]})");
  const auto first = get("tags/list?n=2");
  EXPECT_EQ(first.body, R"({"name":"team/app","tags":["a","b"]})");
  EXPECT_EQ(first.header("Link"), R"(</v2/team/app/tags/list?n=2&last=b>; rel="next")");
  const auto second = get("tags/list?n=2&last=b");
  EXPECT_EQ(second.body, R"({"name":"team/app","tags":["C","d"]})");
  EXPECT_EQ(second.header("Link"), "");
  const auto none = get("tags/list?n=0");
  EXPECT_EQ(none.body, R"({"name":"team/app","tags":[]})");
  EXPECT_EQ(none.header("Link"), "");
  EXPECT_EQ(world_.get("/v2/team/none/tags/list", world_.all("team/none")).status, 404);
}

TEST_F(PullTest, PageSizesOfAttackers) {
  // CVE-2023-2253: nothing is reserved for what a query says.
  world_.push_image("team/app", "v1");
  const auto catalog = world_.token("ann", "registry:catalog:*");
  for (const char* n : {"2147483648", "18446744073709551616", "99999999999999999999999999"}) {
    EXPECT_EQ(get(std::string("tags/list?n=") + n).status, 200) << n;
    EXPECT_EQ(world_.get(std::string("/v2/_catalog?n=") + n, catalog).status, 200) << n;
  }
  for (const char* n : {"-1", "abc", "1.5", "+1", "", "0x10"}) {
    EXPECT_EQ(get(std::string("tags/list?n=") + n).status, 400) << n;
    EXPECT_EQ(world_.get(std::string("/v2/_catalog?n=") + n, catalog).status, 400) << n;
  }
}

TEST_F(PullTest, CatalogNeedsItsOwnScopeAndPages) {
  for (const char* name : {"team/c", "team/a", "team/b"}) world_.push_blob(name, "x");
  EXPECT_EQ(world_.get("/v2/_catalog", token_).status, 401);
  const auto catalog = world_.token("ann", "registry:catalog:*");
  EXPECT_EQ(world_.get("/v2/_catalog", catalog).body,
            R"({"repositories":["team/a","team/b","team/c"]})");
  const auto first = world_.get("/v2/_catalog?n=1", catalog);
  EXPECT_EQ(first.body, R"({"repositories":["team/a"]})");
  EXPECT_EQ(first.header("Link"), R"(</v2/_catalog?n=1&last=team%2Fa>; rel="next")");
  EXPECT_EQ(world_.get("/v2/_catalog?n=5&last=team%2Fa", catalog).body,
            R"({"repositories":["team/b","team/c"]})");
}

TEST_F(PullTest, DeletingTagsAndManifests) {
  const auto digest = world_.push_image("team/app", "v1");
  EXPECT_EQ(remove("manifests/v1").status, 202);
  EXPECT_EQ(remove("manifests/v1").status, 404);
  EXPECT_EQ(get("manifests/v1").status, 404);
  EXPECT_EQ(get("manifests/" + digest).status, 200);
  EXPECT_EQ(remove("manifests/" + digest).status, 202);
  EXPECT_EQ(get("manifests/" + digest).status, 404);
  EXPECT_EQ(world_.audit.count("delete.grant"), 2u);
  token_ = world_.token("bob", "repository:team/app:pull,push");
  EXPECT_EQ(remove("manifests/v1").status, 401);
}

TEST_F(PullTest, PullsAreAudited) {
  const auto digest = world_.push_image("team/app", "v1");
  get("manifests/v1");
  world_.head("/v2/team/app/manifests/v1", token_);
  ASSERT_EQ(world_.audit.count("pull.grant"), 1u);
  EXPECT_EQ(world_.audit.events().back().digest, digest);
}

TEST_F(PullTest, UnknownMethodsAndPaths) {
  const auto wrong = world_.send({.method = "POST",
                                  .target = "/v2/team/app/manifests/x",
                                  .body = {},
                                  .headers = {},
                                  .token = token_});
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "GET, HEAD, PUT, DELETE");
  EXPECT_EQ(world_.get("/v2/team/app", token_).status, 404);
  EXPECT_EQ(world_.get("/", token_).status, 404);
  EXPECT_EQ(world_.get("/v2/Team/app/tags/list", token_).status, 400);
}

TEST_F(PullTest, MirrorParametersAreAccepted) {
  world_.push_image("team/app", "v1");
  EXPECT_EQ(get("manifests/v1?ns=registry.example").status, 200);
}

TEST(DeletionOff, EveryPathIs405) {
  test::RegistryWorld world([](RegistryOptions& o) { o.allow_delete = false; });
  const auto digest = world.push_image("team/app", "v1");
  const auto token = world.all("team/app");
  for (const std::string& path :
       {std::string("manifests/v1"), "manifests/" + digest, "blobs/" + digest_of("{}")}) {
    EXPECT_EQ(world
                  .send({.method = "DELETE",
                         .target = "/v2/team/app/" + path,
                         .body = {},
                         .headers = {},
                         .token = token})
                  .status,
              405)
        << path;
  }
  EXPECT_EQ(world.get("/v2/team/app/manifests/v1", token).status, 200);
}

TEST(SparseContentTest, IsTakenAsThePolicySays) {
  const std::string child = digest_of("no such manifest");
  const std::string index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
      R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":9,"digest":")" +
      child + "\"}]}";
  const std::string image = test::RegistryWorld::image(digest_of("{}"), digest_of("layer"));
  const std::string type = "application/vnd.oci.image.index.v1+json";
  const auto expect = [&](oci::MayMiss policy, int of_index, int of_image) {
    test::RegistryWorld world([&](RegistryOptions& options) { options.may_miss = policy; });
    EXPECT_EQ(world.put_manifest("team/app", "index", index, type).status, of_index);
    EXPECT_EQ(world.put_manifest("team/app", "image", image).status, of_image);
  };
  expect(oci::MayMiss::nothing, 400, 400);
  expect(oci::MayMiss::children, 201, 400);
  expect(oci::MayMiss::anything, 201, 201);
}

TEST(WarningTest, IsOneLineOfAsciiAndEndsAtItsLimit) {
  http::ResponseHead head = head_of(201);
  add_warnings(head, {"a \"b\" \\ \r\nX: \xc3\xa9"});
  EXPECT_EQ(head.headers.get("Warning"), "299 - \"a \\\"b\\\" \\\\ ??X: ??\"");
  http::ResponseHead full = head_of(201);
  add_warnings(full, {std::string(4088, 'a')});
  EXPECT_TRUE(full.headers.has("Warning"));
  http::ResponseHead past = head_of(201);
  add_warnings(past, {std::string(4089, 'a')});
  EXPECT_FALSE(past.headers.has("Warning"));
}

}  // namespace
}  // namespace convoy::registry
