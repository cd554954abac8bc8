#include "clients/registry/registry_client.hpp"

#include <gtest/gtest.h>

#include "clients/registry/token_source.hpp"
#include "support/clients_fake_http.hpp"
#include "support/manual_clock.hpp"
#include "support/net_loop.hpp"

namespace convoy::clients {
namespace {

using test::FakeAnswer;
using test::FakeHttp;
using test::SeenRequest;
using namespace std::chrono_literals;

const std::string kDigestText = "sha256:" + std::string(64, 'a');

oci::RepoName repo() { return oci::RepoName::parse("team/app").value(); }
oci::Digest digest() { return oci::Digest::parse(kDigestText).value(); }
http::Url url(std::string_view text) { return http::parse_url(text).value(); }

class RegistryClientTest : public testing::Test {
 protected:
  std::unique_ptr<RegistryClient> client(const FakeHttp& fake,
                                         std::vector<std::string> token_hosts = {}) {
    return make_registry_client(
        std::make_shared<net::HttpClient>(loop_.executor(), net::HttpClientOptions{}), fake.url(),
        std::move(token_hosts), clock_);
  }
  Deadline soon() const { return Deadline::at(std::chrono::steady_clock::now() + 10s); }
  static RegistryCredential alice() { return {"alice", Secret("s3cret-canary")}; }
  static FakeAnswer challenge(const std::string& realm) {
    return {401, "", {{"WWW-Authenticate", "Bearer realm=\"" + realm + "\",service=\"reg\""}}};
  }

  /// A registry that demands a token of its own and gives it to everybody, unless `otherwise`
  /// answers.
  struct TokenRegistry {
    using Otherwise = std::function<std::optional<FakeAnswer>(const SeenRequest&)>;
    explicit TokenRegistry(test::Loop& loop, Otherwise otherwise = {})
        : fake(loop, [this, otherwise](const SeenRequest& request) -> FakeAnswer {
            if (otherwise) {
              if (auto answer = otherwise(request)) return *answer;
            }
            if (request.target == "/v2/") return challenge("http://" + fake.authority() + "/token");
            return {200, R"({"token":"abc","expires_in":300})", {}};
          }) {}
    FakeHttp fake;
  };

  test::Loop loop_;
  test::ManualClock clock_;
};

TEST(AllowedRealm, OnlyTheRegistryItselfAndListedHosts) {
  const http::Url base = url("https://registry.example:5000");
  const auto allowed = [&](std::string_view realm, std::vector<std::string> hosts = {}) {
    return allowed_realm(realm, base, hosts).ok();
  };
  EXPECT_TRUE(allowed("https://registry.example:5000/token"));
  EXPECT_TRUE(allowed("https://REGISTRY.example:5000/token"));
  EXPECT_FALSE(allowed("https://registry.example/token"));
  EXPECT_FALSE(allowed("https://evil.example/token"));
  EXPECT_FALSE(allowed("https://registry.example.evil.example:5000/token"));
  EXPECT_FALSE(allowed("https://evil.example/?registry.example:5000"));
  EXPECT_FALSE(allowed("https://registry.example:5000@evil.example/token"));
  EXPECT_FALSE(allowed("http://registry.example:5000/token"));
  EXPECT_FALSE(allowed("https://169.254.169.254/latest"));
  EXPECT_FALSE(allowed(""));
  EXPECT_TRUE(allowed("https://auth.example/token", {"auth.example"}));
  EXPECT_FALSE(allowed("https://auth.example:8443/token", {"auth.example"}));
  EXPECT_TRUE(allowed("https://auth.example:8443/token", {"auth.example:8443"}));
  EXPECT_FALSE(allowed("http://auth.example/token", {"auth.example"}));
}

TEST_F(RegistryClientTest, FetchesATokenAndKeepsItUntilShortlyBeforeItsEnd) {
  TokenRegistry site(loop_);
  FakeHttp& fake = site.fake;
  auto registry = client(fake);
  auto got = loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon()));
  ASSERT_TRUE(got.ok()) << got.error().text();
  ASSERT_TRUE(got->has_value());
  EXPECT_EQ((*got)->reveal(), "Bearer abc");
  ASSERT_EQ(fake.seen.size(), 2u);
  EXPECT_EQ(fake.seen[0].header("Authorization"), "");
  EXPECT_EQ(fake.seen[1].header("Authorization"), "Basic YWxpY2U6czNjcmV0LWNhbmFyeQ==");
  EXPECT_NE(fake.seen[1].target.find("scope=repository%3Ateam%2Fapp%3Apull"), std::string::npos);
  EXPECT_EQ(fake.seen[1].header("X-Request-Id"), "rid-00000001");

  clock_.advance(260s);
  EXPECT_TRUE(loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon())).ok());
  EXPECT_EQ(fake.seen.size(), 2u);
  const RegistryCredential other{"alice", Secret("another")};
  EXPECT_TRUE(loop_.run(registry->authorize_pull(repo(), other, "rid-00000001", soon())).ok());
  EXPECT_EQ(fake.seen.size(), 4u);
  clock_.advance(20s);
  EXPECT_TRUE(loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon())).ok());
  EXPECT_EQ(fake.seen.size(), 5u) << "the challenge is known for a minute";
}

TEST_F(RegistryClientTest, ARefusedTokenIsReplacedOnceItHasStoodForFiveSeconds) {
  int given = 0;
  TokenRegistry site(loop_, [&](const SeenRequest& request) -> std::optional<FakeAnswer> {
    if (request.target == "/v2/") return std::nullopt;
    return FakeAnswer{
        200, R"({"token":"t)" + std::to_string(++given) + R"(","expires_in":300})", {}};
  });
  auto registry = client(site.fake);
  const auto after = [&](const std::string& refused) {
    auto got = loop_.run(registry->reauthorize_pull(repo(), alice(), Secret("Bearer " + refused),
                                                    "rid-00000001", soon()));
    return got ? std::string((*got)->reveal()) : got.error().code();
  };
  ASSERT_TRUE(loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon())).ok());
  EXPECT_EQ(after("t1"), "registry_unauthorized");
  clock_.advance(4s);
  EXPECT_EQ(after("t1"), "registry_unauthorized");
  EXPECT_EQ(given, 1);
  clock_.advance(1s);
  EXPECT_EQ(after("t1"), "Bearer t2");
  EXPECT_EQ(after("t1"), "Bearer t2") << "of somebody whose refusal came late";
  EXPECT_EQ(after("t2"), "registry_unauthorized");
  EXPECT_EQ(given, 2);
  auto kept = loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon()));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ((*kept)->reveal(), "Bearer t2");
}

TEST_F(RegistryClientTest, TheSameTokenAgainIsNoOther) {
  TokenRegistry site(loop_);
  auto registry = client(site.fake);
  ASSERT_TRUE(loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon())).ok());
  clock_.advance(5s);
  const auto got = loop_.run(
      registry->reauthorize_pull(repo(), alice(), Secret("Bearer abc"), "rid-00000001", soon()));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), "registry_unauthorized");
  EXPECT_EQ(site.fake.count("GET", "/token"), 2u);
}

TEST_F(RegistryClientTest, PullsOfOneRepositoryAtOnceShareATokenOthersDoNot) {
  TokenRegistry site(loop_);
  FakeHttp& fake = site.fake;
  auto registry = client(fake);
  test::Tasks tasks(loop_);
  int granted = 0;
  const auto pull = [&](RegistryCredential who) -> net::Task<void> {
    auto got = co_await registry->authorize_pull(repo(), std::move(who), "rid-00000001", soon());
    granted += got && (*got)->reveal() == "Bearer abc" ? 1 : 0;
  };
  for (int i = 0; i < 3; ++i) tasks->spawn([&] { return pull(alice()); });
  tasks->spawn([&] { return pull({"bob", Secret("another")}); });
  for (int i = 0; i < 500 && granted < 4; ++i) loop_.run(net::sleep_for(10ms));
  EXPECT_EQ(granted, 4);
  EXPECT_EQ(fake.count("GET", "/token"), 2u);
}

TEST_F(RegistryClientTest, WhoWaitedInVainForATokenAsksForItself) {
  int refusals = 1;
  TokenRegistry site(loop_, [&](const SeenRequest& request) -> std::optional<FakeAnswer> {
    if (request.target == "/v2/" || refusals-- <= 0) return std::nullopt;
    return FakeAnswer{503, "", {}};
  });
  auto registry = client(site.fake);
  test::Tasks tasks(loop_);
  int granted = 0;
  int done = 0;
  const auto pull = [&]() -> net::Task<void> {
    auto got = co_await registry->authorize_pull(repo(), alice(), "rid-00000001", soon());
    granted += got ? 1 : 0;
    ++done;
  };
  for (int i = 0; i < 3; ++i) tasks->spawn([&] { return pull(); });
  for (int i = 0; i < 500 && done < 3; ++i) loop_.run(net::sleep_for(10ms));
  EXPECT_EQ(done, 3);
  EXPECT_EQ(granted, 2);
}

TEST_F(RegistryClientTest, HelloSparesTheNextPullTheQuestionForAMinute) {
  TokenRegistry site(loop_);
  FakeHttp& fake = site.fake;
  auto registry = client(fake);
  const auto pulls = [&](const char* name) {
    const auto other = oci::RepoName::parse(name).value();
    return loop_.run(registry->authorize_pull(other, alice(), "rid-00000001", soon())).ok();
  };
  loop_.run(registry->hello("rid-00000002", soon()));
  ASSERT_EQ(fake.seen.size(), 1u);
  EXPECT_EQ(fake.seen[0].header("Authorization"), "");
  EXPECT_EQ(fake.seen[0].header("X-Request-Id"), "rid-00000002");
  clock_.advance(59s);
  EXPECT_TRUE(pulls("a"));
  EXPECT_EQ(fake.seen.size(), 2u);
  clock_.advance(1s);
  EXPECT_TRUE(pulls("b"));
  EXPECT_EQ(fake.seen.size(), 4u);
}

TEST_F(RegistryClientTest, AChallengeFromBeforeTheRegistryWentIsForgotten) {
  bool up = true;
  TokenRegistry site(loop_, [&](const SeenRequest&) -> std::optional<FakeAnswer> {
    if (up) return std::nullopt;
    return FakeAnswer{503, "", {}};
  });
  FakeHttp& fake = site.fake;
  auto registry = client(fake);
  loop_.run(registry->hello("rid-00000001", soon()));
  up = false;
  loop_.run(registry->hello("rid-00000001", soon()));
  const auto got = loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon()));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), "registry_unavailable");
  ASSERT_EQ(fake.seen.size(), 3u);
  EXPECT_EQ(fake.seen[2].target, "/v2/");
}

TEST_F(RegistryClientTest, SendsNoCredentialToAForeignRealm) {
  FakeHttp thief(loop_, [](const SeenRequest&) { return FakeAnswer{200, R"({"token":"x"})", {}}; });
  FakeHttp fake(loop_, [&](const SeenRequest&) {
    return challenge("http://" + thief.authority() + "/token");
  });
  auto registry = client(fake);
  const auto got = loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon()));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), "token_realm_refused");
  EXPECT_TRUE(thief.seen.empty());
}

TEST_F(RegistryClientTest, FollowsNoRedirectWithThePassword) {
  FakeHttp thief(loop_, [](const SeenRequest&) { return FakeAnswer{200, R"({"token":"x"})", {}}; });
  std::string realm;
  FakeHttp fake(loop_, [&](const SeenRequest& request) -> FakeAnswer {
    if (request.target == "/v2/") return challenge(realm);
    return {307, "", {{"Location", "http://" + thief.authority() + "/token"}}};
  });
  realm = "http://" + fake.authority() + "/token";
  auto registry = client(fake);
  EXPECT_FALSE(loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon())).ok());
  EXPECT_TRUE(thief.seen.empty());
}

TEST_F(RegistryClientTest, NeedsNoTokenWhereTheRegistryAsksForNone) {
  FakeHttp fake(loop_, [](const SeenRequest&) { return FakeAnswer{}; });
  auto registry = client(fake);
  const auto got = loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon()));
  ASSERT_TRUE(got.ok());
  EXPECT_FALSE(got->has_value());
}

TEST_F(RegistryClientTest, RefusedPasswordIsUnauthorizedAndNotKept) {
  std::string realm;
  FakeHttp fake(loop_, [&](const SeenRequest& request) -> FakeAnswer {
    return request.target == "/v2/" ? challenge(realm) : FakeAnswer{401, "", {}};
  });
  realm = "http://" + fake.authority() + "/token";
  auto registry = client(fake);
  for (std::size_t round = 1; round <= 2; ++round) {
    const auto got = loop_.run(registry->authorize_pull(repo(), alice(), "rid-00000001", soon()));
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code(), "registry_unauthorized");
    EXPECT_EQ(got.error().text().find("canary"), std::string::npos);
    EXPECT_EQ(fake.seen.size(), 2 * round);
  }
}

TEST_F(RegistryClientTest, HeadTellsSizeOrWhyNot) {
  int status = 200;
  FakeHttp fake(loop_, [&](const SeenRequest&) { return FakeAnswer{status, "12345", {}}; });
  auto registry = client(fake);
  const auto head = [&] {
    return loop_.run(
        registry->head_blob(repo(), digest(), Secret("Bearer t"), "rid-00000001", soon()));
  };
  const auto good = head();
  ASSERT_TRUE(good.ok()) << good.error().text();
  EXPECT_EQ(good->size, 5u);
  EXPECT_EQ(fake.seen[0].header("Authorization"), "Bearer t");
  EXPECT_EQ(fake.seen[0].target, "/v2/team/app/blobs/" + kDigestText);
  const std::pair<int, std::string> cases[] = {{401, "registry_unauthorized"},
                                               {403, "registry_denied"},
                                               {404, "blob_unknown"},
                                               {429, "registry_busy"},
                                               {500, "registry_unavailable"}};
  for (const auto& [code, name] : cases) {
    status = code;
    EXPECT_EQ(head().error().code(), name);
  }
}

TEST_F(RegistryClientTest, RegistryThatIsGoneIsUnavailable) {
  FakeHttp fake(loop_, [](const SeenRequest&) { return FakeAnswer{}; });
  auto registry = client(fake);
  fake.stop();
  const auto got =
      loop_.run(registry->head_blob(repo(), digest(), std::nullopt, "rid-00000001", soon()));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), "registry_unavailable");
  EXPECT_EQ(got.error().kind(), ErrorClass::unavailable);
}

TEST_F(RegistryClientTest, GetFromAnOffsetTakesOnlyThatRange) {
  std::string range = "bytes 3-9/10";
  FakeHttp fake(loop_, [&](const SeenRequest&) {
    return FakeAnswer{206, "3456789", {{"Content-Range", range}}};
  });
  auto registry = client(fake);
  const auto get = [&](std::uint64_t offset) {
    return loop_.run(
        registry->get_blob(repo(), digest(), offset, std::nullopt, "rid-00000001", soon()));
  };
  auto good = get(3);
  ASSERT_TRUE(good.ok()) << good.error().text();
  EXPECT_EQ(fake.seen[0].header("Range"), "bytes=3-");
  EXPECT_EQ(loop_.run((*good)->read_all(100)).value(), "3456789");
  for (const char* wrong : {"bytes 2-8/10", "bytes 3-8/10", "items 3-9/10", ""}) {
    range = wrong;
    EXPECT_FALSE(get(3).ok()) << wrong;
  }
  range = "bytes 0-6/7";
  EXPECT_FALSE(get(0).ok()) << "206 that was not asked for";
}

TEST_F(RegistryClientTest, CredentialDoesNotFollowARedirectToAnotherHost) {
  FakeHttp store(loop_, [](const SeenRequest&) { return FakeAnswer{200, "blob", {}}; });
  FakeHttp fake(loop_, [&](const SeenRequest& request) -> FakeAnswer {
    if (request.target.starts_with("/v2/")) return {307, "", {{"Location", "/here?x=1"}}};
    return {302, "", {{"Location", "http://" + store.authority() + "/b"}}};
  });
  auto registry = client(fake);
  auto got = loop_.run(
      registry->get_blob(repo(), digest(), 0, Secret("Bearer t"), "rid-00000001", soon()));
  ASSERT_TRUE(got.ok()) << got.error().text();
  ASSERT_EQ(fake.seen.size(), 2u);
  EXPECT_EQ(fake.seen[1].header("Authorization"), "Bearer t");
  ASSERT_EQ(store.seen.size(), 1u);
  EXPECT_EQ(store.seen[0].header("Authorization"), "");
}

TEST_F(RegistryClientTest, CredentialThatWasDroppedDoesNotComeBack) {
  std::string back;
  FakeHttp other(loop_,
                 [&](const SeenRequest&) -> FakeAnswer { return {302, "", {{"Location", back}}}; });
  FakeHttp fake(loop_, [&](const SeenRequest& request) -> FakeAnswer {
    if (request.target == "/back") return {200, "blob", {}};
    return {302, "", {{"Location", "http://" + other.authority() + "/"}}};
  });
  back = "http://" + fake.authority() + "/back";
  auto registry = client(fake);
  auto got = loop_.run(
      registry->get_blob(repo(), digest(), 0, Secret("Bearer t"), "rid-00000001", soon()));
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(fake.seen.back().target, "/back");
  EXPECT_EQ(fake.seen.back().header("Authorization"), "");
}

TEST_F(RegistryClientTest, FourthRedirectIsRefused) {
  int redirects = 3;
  FakeHttp fake(loop_, [&](const SeenRequest&) -> FakeAnswer {
    if (redirects-- > 0) return {307, "", {{"Location", "/again"}}};
    return {200, "blob", {}};
  });
  auto registry = client(fake);
  const auto get = [&] {
    return loop_.run(registry->get_blob(repo(), digest(), 0, std::nullopt, "rid-00000001", soon()));
  };
  EXPECT_TRUE(get().ok());
  redirects = 4;
  EXPECT_FALSE(get().ok());
}

TEST_F(RegistryClientTest, ForwardsOnlyWhatIsUnderTheApi) {
  FakeHttp fake(loop_, [](const SeenRequest&) { return FakeAnswer{404, "no", {}}; });
  auto registry = client(fake);
  net::HttpRequest request;
  request.method = "PUT";
  request.url = url("http://elsewhere.example/v2/team/app/manifests/latest");
  request.body = "{}";
  auto good = loop_.run(registry->forward(request, soon()));
  ASSERT_TRUE(good.ok()) << good.error().text();
  EXPECT_EQ((*good)->status(), 404);
  EXPECT_EQ(fake.seen.at(0).target, "/v2/team/app/manifests/latest");
  EXPECT_EQ(fake.seen.at(0).body, "{}");
  for (const char* target : {"/", "/v1/x", "/v2evil", "/convoy/v1/metadata/x", "http://x/v2/"}) {
    request.url.target = target;
    EXPECT_EQ(loop_.run(registry->forward(request, soon())).error().code(), "target_invalid");
  }
}

TEST_F(RegistryClientTest, MetadataTellsUnknownBlobFromMissingRoute) {
  FakeAnswer answer{200, R"({"metadata":"a.b.c"})", {}};
  FakeHttp fake(loop_, [&](const SeenRequest&) { return answer; });
  auto metadata = make_registry_metadata_client(
      std::make_shared<net::HttpClient>(loop_.executor(), net::HttpClientOptions{}), fake.url());
  const auto ask = [&] {
    return loop_.run(metadata->metadata(repo(), digest(), "rid-00000001", soon()));
  };
  EXPECT_EQ(ask().value(), "a.b.c");
  EXPECT_EQ(fake.seen[0].target, "/convoy/v1/metadata/team/app/" + kDigestText);
  answer = {404, R"({"errors":[{"code":"BLOB_UNKNOWN"}]})", {}};
  EXPECT_EQ(ask().error().code(), "blob_unknown");
  answer = {404, R"({"errors":[{"code":"NOT_FOUND"}]})", {}};
  EXPECT_EQ(ask().error().code(), "registry_unavailable");
  answer = {200, R"({"other":1})", {}};
  EXPECT_EQ(ask().error().code(), "registry_unavailable");
}

}  // namespace
}  // namespace convoy::clients
