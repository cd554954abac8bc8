#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include "support/registry_world.hpp"
#include "wire/auth/challenge.hpp"
#include "wire/json.hpp"

// Docker's token authentication (distribution, docs: token, oauth, scope, jwt).
namespace convoy::registry {
namespace {

using test::Answer;

class TokenTest : public ::testing::Test {
 protected:
  Answer ask(const std::string& query, const std::string& user = {},
             const std::string& password = {}) {
    std::vector<std::pair<std::string, std::string>> headers;
    if (!user.empty())
      headers.emplace_back("Authorization", auth::basic_header(user, Secret(password)));
    return world_.send(
        {.method = "GET", .target = "/token" + query, .body = {}, .headers = headers, .token = {}});
  }
  Answer post(const std::string& form,
              const std::string& type = "application/x-www-form-urlencoded") {
    return world_.send({.method = "POST",
                        .target = "/token",
                        .body = form,
                        .headers = {{"Content-Type", type}},
                        .token = {}});
  }
  static std::string member(const Answer& answer, std::string_view name) {
    auto object = wire::parse_json_object(answer.body);
    return object ? wire::json_string(*object, name).value_or("") : "";
  }
  std::vector<std::string> granted(const Answer& answer) {
    auto token = world_.keys.token_verifier().verify(member(answer, "token"));
    if (!token) return {"!" + token.error().code()};
    std::vector<std::string> out;
    for (const auto& access : token->access) out.push_back(access.str());
    return out;
  }
  using List = std::vector<std::string>;
  test::RegistryWorld world_;
};

TEST_F(TokenTest, PingAlwaysChallenges) {
  const auto refused = world_.get("/v2/", "");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("Docker-Distribution-Api-Version"), "registry/2.0");
  EXPECT_EQ(refused.header("Content-Type"), "application/json");
  EXPECT_NE(refused.body.find("UNAUTHORIZED"), std::string::npos);
  auto challenge = auth::parse_challenges(refused.header("WWW-Authenticate")).value().front();
  EXPECT_EQ(challenge.scheme, "bearer");
  EXPECT_EQ(challenge.params["service"], "registry.test");
  EXPECT_EQ(challenge.params["realm"],
            "http://127.0.0.1:" + std::to_string(world_.port) + "/token");
  EXPECT_FALSE(challenge.params.contains("scope"));
  EXPECT_EQ(world_.get("/v2/", world_.token("", "")).status, 200);
  EXPECT_EQ(world_.get("/v2/", "nonsense").status, 401);
}

TEST_F(TokenTest, BasicIsNotTakenByTheRegistryItself) {
  const auto refused =
      world_.get("/v2/team/app/tags/list", "",
                 {{"Authorization", auth::basic_header("ann", Secret("ann-secret"))}});
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.header("WWW-Authenticate").find("repository:team/app:pull"), std::string::npos);
  EXPECT_EQ(
      world_.get("/v2/", "", {{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}}).status,
      401);
}

TEST_F(TokenTest, UserGetsTheIntersection) {
  const auto reply =
      ask("?service=registry.test&scope=repository:team/"
          "app:pull,push,delete&scope=repository:other:pull,push&account=bob",
          "bob", "bob+secret");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(granted(reply), List{"repository:team/app:pull"});
  EXPECT_EQ(member(reply, "token"), member(reply, "access_token"));
  EXPECT_EQ(reply.header("Cache-Control"), "no-store");
  EXPECT_NE(reply.body.find(R"("expires_in":300)"), std::string::npos);
  EXPECT_NE(reply.body.find(R"("issued_at":"20)"), std::string::npos);
  EXPECT_EQ(reply.body.find("refresh_token"), std::string::npos);
  EXPECT_EQ(
      granted(ask("?scope=repository:team/app:pull%20repository:team/x:push", "ann", "ann-secret")),
      (List{"repository:team/app:pull", "repository:team/x:push"}));
  EXPECT_EQ(granted(ask("?scope=registry:catalog:*", "ann", "ann-secret")),
            List{"registry:catalog:*"});
  EXPECT_EQ(granted(ask("?scope=registry:catalog:*", "bob", "bob+secret")), List{});
}

TEST_F(TokenTest, AnonymousGetsWhatEverybodyMay) {
  EXPECT_EQ(granted(ask("?scope=repository:public/x:pull,push")), List{"repository:public/x:pull"});
  EXPECT_EQ(granted(ask("?scope=repository:team/app:pull")), List{});
  EXPECT_EQ(granted(ask("")), List{});
  const auto refused = world_.get("/v2/public/x/tags/list", "");
  EXPECT_EQ(refused.status, 401);
}

TEST_F(TokenTest, RoundTripOfAClient) {
  world_.push_image("team/app", "v1");
  const auto token = member(ask("?scope=repository:team/app:pull", "bob", "bob+secret"), "token");
  EXPECT_EQ(world_.get("/v2/team/app/manifests/v1", token).status, 200);
  const auto narrow = world_.get("/v2/team/other/manifests/v1", token);
  EXPECT_EQ(narrow.status, 401);
  EXPECT_NE(narrow.header("WWW-Authenticate").find(R"(error="insufficient_scope")"),
            std::string::npos);
  EXPECT_EQ(world_
                .send({.method = "PUT",
                       .target = "/v2/team/app/manifests/v1",
                       .body = {},
                       .headers = {},
                       .token = token})
                .status,
            401);
}

TEST_F(TokenTest, WrongPasswordAndUnknownUserLookAlike) {
  const auto wrong = ask("", "bob", "guess");
  const auto unknown = ask("", "nobody", "guess");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(wrong.header("WWW-Authenticate"), unknown.header("WWW-Authenticate"));
  EXPECT_EQ(world_.audit.count("token.refuse", "credentials_invalid"), 2u);
  for (const auto& event : world_.audit.events()) {
    for (const auto& [key, value] : event.extra) EXPECT_EQ(value.find("guess"), std::string::npos);
  }
}

TEST_F(TokenTest, GuessingIsSlowedDown) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask("", "bob", "guess").status, 401);
  const auto slowed = ask("", "bob", "bob+secret");
  EXPECT_EQ(slowed.status, 429);
  EXPECT_FALSE(slowed.header("Retry-After").empty());
  EXPECT_EQ(world_.audit.count("token.refuse", "credentials_slowed"), 1u);
  // Anonymous tokens are still given.
  EXPECT_EQ(ask("?scope=repository:public/x:pull").status, 200);
}

TEST_F(TokenTest, TheFifthFailureInARowRaisesAnAlert) {
  for (int i = 0; i < 4; ++i) ask("", "bob", "guess");
  EXPECT_NE(world_.metrics->text().find("convoy_login_alerts_total 0"), std::string::npos);
  ask("", "bob", "guess");
  EXPECT_NE(world_.metrics->text().find("convoy_login_alerts_total 1"), std::string::npos);
}

TEST_F(TokenTest, AGoodLoginIsNotSlowedByWhatStrangersGuess) {
  EXPECT_EQ(ask("", "bob", "bob+secret").status, 200);
  for (int i = 0; i < 6; ++i) EXPECT_NE(ask("", "bob", "guess").status, 200);
  EXPECT_EQ(ask("", "bob", "bob+secret").status, 200);
  EXPECT_EQ(ask("", "bob", "bob+secre").status, 429);
}

TEST_F(TokenTest, OneCheckServesAllWhoLogInAtOnceByOneCredential) {
  // More than passwords are checked at once.
  const auto login = auth::basic_header("bob", Secret("bob+secret"));
  const test::Ask ask{.method = "GET",
                      .target = "/token",
                      .body = {},
                      .headers = {{"Authorization", login}},
                      .token = {}};
  for (const auto& answer : world_.send_at_once({40, ask})) EXPECT_EQ(answer.status, 200);
}

TEST_F(TokenTest, APasswordThatWasReplacedIsRefusedAtOnce) {
  EXPECT_EQ(ask("", "bob", "bob+secret").status, 200);
  SystemRandom random;
  auto changed =
      security::UserDirectory::make({{"bob", crypto::hash_password(Secret("other"), random)}}, {});
  world_.service->replace_users(
      std::make_shared<const security::UserDirectory>(std::move(changed).value()));
  EXPECT_EQ(ask("", "bob", "bob+secret").status, 401);
  EXPECT_EQ(ask("", "bob", "other").status, 200);
}

TEST_F(TokenTest, MalformedRequests) {
  EXPECT_EQ(ask("?scope=nonsense").status, 400);
  EXPECT_EQ(ask("?scope=repository:a:pull;drop").status, 400);
  EXPECT_EQ(ask("?service=elsewhere").status, 400);
  const auto bearer = world_.send(
      {.method = "GET", .target = "/token", .body = {}, .headers = {}, .token = world_.all("a")});
  EXPECT_EQ(bearer.status, 401);
  EXPECT_EQ(world_
                .send({.method = "GET",
                       .target = "/token",
                       .body = {},
                       .headers = {{"Authorization", "Basic !!!"}},
                       .token = {}})
                .status,
            401);
  EXPECT_EQ(
      world_.send({.method = "DELETE", .target = "/token", .body = {}, .headers = {}, .token = {}})
          .status,
      405);
}

TEST_F(TokenTest, PostOfOauth) {
  const auto reply = post(
      "grant_type=password&service=registry.test&client_id=x&username=bob&password=bob%2Bsecret&"
      "scope=repository:team/app:pull,push");
  ASSERT_EQ(reply.status, 200);
  EXPECT_EQ(granted(reply), List{"repository:team/app:pull"});
  EXPECT_EQ(member(reply, "scope"), "repository:team/app:pull");
  EXPECT_EQ(post("grant_type=password&username=bob&password=bad").status, 401);
  EXPECT_EQ(post("grant_type=refresh_token&refresh_token=x").status, 400);
  EXPECT_EQ(post("grant_type=authorization_code").status, 400);
  EXPECT_EQ(post("grant_type=password&username=bob").status, 400);
  EXPECT_EQ(
      post("grant_type=password&username=bob&password=bob%2Bsecret", "application/json").status,
      400);
  EXPECT_EQ(post("%zz").status, 400);
  EXPECT_EQ(post(std::string(8 * 1024 + 1, 'a')).status, 413);
}

TEST_F(TokenTest, RevokedRightsAreGoneWithTheNextToken) {
  EXPECT_EQ(granted(ask("?scope=repository:team/app:pull", "bob", "bob+secret")).size(), 1u);
  SystemRandom random;
  auto fewer = security::UserDirectory::make(
      {{"bob", crypto::hash_password(Secret("bob+secret"), random)}}, {});
  world_.service->replace_users(
      std::make_shared<const security::UserDirectory>(std::move(fewer).value()));
  EXPECT_EQ(granted(ask("?scope=repository:team/app:pull", "bob", "bob+secret")), List{});
}

TEST_F(TokenTest, SecretsStayOutOfTheMetrics) {
  ask("", "bob", "canary-password");
  const auto text = world_.metrics->text();
  EXPECT_EQ(text.find("canary"), std::string::npos);
  EXPECT_EQ(text.find("bob"), std::string::npos);
  EXPECT_NE(text.find("convoy_registry_tokens_total"), std::string::npos);
}

TEST(PublicUrl, NamesTheRealm) {
  test::RegistryWorld world([](RegistryOptions& o) { o.public_url = "https://registry.example"; });
  EXPECT_NE(world.get("/v2/", "")
                .header("WWW-Authenticate")
                .find(R"(realm="https://registry.example/token")"),
            std::string::npos);
}

TEST(RegistryOptionsCheck, RefusesToStartHalfConfigured) {
  test::RegistryWorld world;
  const auto attempt = [&](const std::function<void(RegistryOptions&)>& change) {
    RegistryOptions options;
    options.data_dir = world.dir / "other";
    options.listen = {"127.0.0.1", 0};
    options.token_signer = world.keys.token_signer();
    options.metadata_signer = world.keys.metadata_signer();
    options.users = test::RegistryWorld::users();
    change(options);
    auto made =
        RegistryService::make(world.loop.executor(), *world.pool, std::move(options), world.clock,
                              world.random, world.audit, world.metrics, Logger::none());
    return made ? "ok" : made.error().code();
  };
  EXPECT_EQ(attempt([](auto&) {}), "ok");
  EXPECT_EQ(attempt([](auto& o) { o.users = nullptr; }), "option_invalid");
  EXPECT_EQ(attempt([](auto& o) { o.token_lifetime = std::chrono::seconds(59); }),
            "option_invalid");
  EXPECT_EQ(attempt([](auto& o) { o.token_signer->chain.clear(); }), "option_invalid");
  EXPECT_EQ(attempt([](auto& o) { o.metadata_signer = o.token_signer; }), "option_invalid");
  EXPECT_EQ(attempt([](auto& o) { o.token_signer->key = crypto::PrivateKey::generate(); }),
            "option_invalid");
  EXPECT_EQ(attempt([](auto& o) { o.clusters.emplace_back(); }), "option_invalid");
  EXPECT_EQ(attempt([&](auto& o) { o.data_dir = world.dir / "registry"; }), "store_locked");
}

}  // namespace
}  // namespace convoy::registry
