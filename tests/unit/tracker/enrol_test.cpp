#include <gtest/gtest.h>

#include "support/tracker_world.hpp"

namespace convoy::tracker {
namespace {

using test::TrackerWorld;
using namespace std::chrono_literals;

class Enrol : public testing::Test {
 protected:
  Enrol() { world_.start(); }

  Secret token(std::string name = {}, security::NodeKind kind = security::NodeKind::node,
               std::string zone = {}) {
    const security::JoinTokenSpec spec{kind, std::move(name), std::move(zone), 3600s};
    return security::create_join_token(world_.tokens, spec, world_.clock.wall(), world_.random)
        .value();
  }
  Result<clients::Enrolment> enrol(Secret token, std::string name,
                                   std::string common_name = "whatever") {
    clients::EnrolRequest request{std::move(token), std::move(name),
                                  crypto::make_csr(key_, common_name),
                                  bt::Zone::parse("a").value()};
    return world_.loop.run(world_.stranger().enrol(std::move(request), world_.soon()));
  }
  static std::string code(const Result<clients::Enrolment>& result) {
    return result.ok() ? "ok" : result.error().code();
  }

  static net::Task<void> pause() { co_await net::sleep_for(5ms); }

  TrackerWorld world_;
  crypto::PrivateKey key_ = crypto::PrivateKey::generate();
};

TEST_F(Enrol, GoodTokenGivesACertificateThatTheTrackerTakes) {
  const auto got = enrol(token(), "node-1");
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(got->id, "spiffe://example.org/cluster/c1/node/node-1");
  EXPECT_EQ(got->cluster, "c1");
  EXPECT_EQ(got->root_pem, world_.cluster.root.pem());
  ASSERT_EQ(got->registries.size(), 1u);
  EXPECT_EQ(got->registries[0].host, TrackerWorld::kHost);
  EXPECT_EQ(got->registries[0].issuer, "issuer.test");
  EXPECT_EQ(world_.audit.count("enrol.grant"), 1u);

  const security::PemIdentity pem{got->chain_pem, key_.to_pem()};
  const auto client = clients::make_http_tracker_client(world_.http(pem), world_.url());
  const auto next = crypto::PrivateKey::generate();
  const auto renewed =
      world_.loop.run(client->renew(crypto::make_csr(next, "other"), world_.soon()));
  ASSERT_TRUE(renewed.ok()) << renewed.error().text();
  EXPECT_EQ(renewed->id, got->id);
  const auto leaf = crypto::Certificate::chain_from_pem(renewed->chain_pem).value().front();
  EXPECT_EQ(leaf.public_key().spki(), next.public_key().spki());
  EXPECT_EQ(world_.audit.count("renew.grant"), 1u);
}

TEST_F(Enrol, CsrDecidesNothingButTheKey) {
  const auto got = enrol(token(), "node-1", "spiffe://example.org/cluster/c1/tracker/evil");
  ASSERT_TRUE(got.ok());
  const auto leaf = crypto::Certificate::chain_from_pem(got->chain_pem).value().front();
  EXPECT_EQ(leaf.uris(), std::vector<std::string>{"spiffe://example.org/cluster/c1/node/node-1"});
  EXPECT_TRUE(leaf.dns_names().empty());
  EXPECT_FALSE(leaf.is_ca());
}

TEST_F(Enrol, TheZoneOfTheTokenComesBackAndAClaimedOneDoesNot) {
  const auto free = enrol(token(), "node-1");
  ASSERT_TRUE(free.ok()) << free.error().text();
  EXPECT_TRUE(free->zone.common());
  const auto fixed = enrol(token("node-2", security::NodeKind::node, "b"), "node-2");
  ASSERT_TRUE(fixed.ok()) << fixed.error().text();
  EXPECT_EQ(fixed->zone.str(), "b");
}

TEST_F(Enrol, TokenWorksOnce) {
  const Secret once = token();
  EXPECT_EQ(code(enrol(once, "node-1")), "ok");
  EXPECT_EQ(code(enrol(once, "node-2")), "join_token_invalid");
  key_ = crypto::PrivateKey::generate();
  EXPECT_EQ(code(enrol(once, "node-1")), "join_token_invalid");
  EXPECT_EQ(code(enrol(once, "node-2")), "join_token_invalid");
}

TEST_F(Enrol, ANodeWhoseAnswerWasLostMayAskAgainUntilTheTokenExpires) {
  for (const std::string name : {"node-1", "node-2"}) {
    const Secret given = token(name == "node-1" ? "" : name);
    const auto lost = enrol(given, name);
    ASSERT_TRUE(lost.ok()) << lost.error().text();
    const auto again = enrol(given, name);
    ASSERT_TRUE(again.ok()) << again.error().text();
    EXPECT_EQ(again->id, lost->id);
    const auto leaf = crypto::Certificate::chain_from_pem(again->chain_pem).value().front();
    EXPECT_EQ(leaf.public_key().spki(), key_.public_key().spki());
    world_.clock.advance(3600s);
    EXPECT_EQ(code(enrol(given, name)), "join_token_invalid");
  }
}

TEST_F(Enrol, AnExpiredAuthorityUsesNoTokenUp) {
  world_.clock.advance(std::chrono::hours(24 * 1826));
  const Secret fresh = token();
  EXPECT_EQ(code(enrol(fresh, "node-1")), "authority_expired");
  EXPECT_EQ(world_.tokens.list().value().front().used_by, "");
}

TEST_F(Enrol, ExpiredForeignAndForgedTokensLookTheSame) {
  const Secret old = token();
  world_.clock.advance(3601s);
  std::string forged(token().reveal());
  forged.back() = forged.back() == '0' ? '1' : '0';
  const std::string foreign = "cvj_0123456789abcdef_" + std::string(64, '0');
  for (const auto& bad : {old, Secret(forged), Secret(foreign), Secret("x"), Secret("")}) {
    const auto got = enrol(bad, "node-1");
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code(), "join_token_invalid");
    EXPECT_EQ(got.error().kind(), ErrorClass::unauthorized);
  }
  EXPECT_EQ(world_.audit.count("enrol.refuse", "join_token_invalid"), 5u);
}

TEST_F(Enrol, BoundNameIsTheOnlyOne) {
  const Secret bound = token("node-7");
  EXPECT_EQ(code(enrol(bound, "node-8")), "join_token_invalid");
  const auto got = enrol(bound, "");
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(got->id, "spiffe://example.org/cluster/c1/node/node-7");
}

TEST_F(Enrol, FreeTokenCannotTakeANameThatIsInUse) {
  EXPECT_EQ(code(enrol(token(), "node-1")), "ok");
  const Secret second = token();
  EXPECT_EQ(code(enrol(second, "node-1")), "node_name_taken");
  EXPECT_EQ(code(enrol(second, "node-2")), "ok") << "a refusal does not use the token up";
  const Secret bound = token("node-9");
  EXPECT_EQ(code(enrol(token(), "node-9")), "node_name_taken");
  EXPECT_EQ(code(enrol(bound, "node-9")), "ok");
}

TEST_F(Enrol, KindComesFromTheToken) {
  const auto got = enrol(token("origin", security::NodeKind::origin), "origin");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->id, "spiffe://example.org/cluster/c1/origin/origin");
}

TEST_F(Enrol, BadNamesAndCsrsDoNotUseTheTokenUp) {
  const Secret one = token();
  for (const char* name : {"", "a/b", "../x", "UPPER", "a b"}) {
    EXPECT_EQ(code(enrol(one, name)), "spiffe_id_invalid") << name;
  }
  clients::EnrolRequest request{one, "node-1", "no csr", {}};
  EXPECT_EQ(code(world_.loop.run(world_.stranger().enrol(request, world_.soon()))), "csr_invalid");
  EXPECT_EQ(code(enrol(one, "node-1")), "ok");
}

TEST_F(Enrol, GuessingFromOneAddressIsSlowedAndOthersAreNot) {
  const Secret wrong("cvj_0123456789abcdef_" + std::string(64, '0'));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(code(enrol(wrong, "node-1")), "join_token_invalid");
  const Secret good = token();
  EXPECT_EQ(code(enrol(good, "node-1")), "enrol_slowed");
  clients::EnrolRequest request{good, "node-1", crypto::make_csr(key_, "x"), {}};
  const auto elsewhere =
      world_.loop.run(world_.stranger("127.0.0.2").enrol(request, world_.soon()));
  EXPECT_EQ(code(elsewhere), "ok");
}

TEST_F(Enrol, ManyGuessesAtOnceGoOneAfterTheOther) {
  const Secret wrong("cvj_0123456789abcdef_" + std::string(64, '0'));
  const auto csr = crypto::make_csr(key_, "x");
  std::vector<std::string> codes;
  test::Tasks tasks(world_.loop);
  for (int i = 0; i < 20; ++i) {
    auto& client = world_.stranger();
    tasks->spawn([&, client = &client]() -> net::Task<void> {
      clients::EnrolRequest request{wrong, "node-1", csr, {}};
      const auto got = co_await client->enrol(std::move(request), world_.soon());
      codes.push_back(code(got));
    });
  }
  for (int i = 0; i < 4000 && codes.size() < 20; ++i) world_.loop.run(pause());
  EXPECT_EQ(std::count(codes.begin(), codes.end(), "join_token_invalid"), 5);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), "enrol_slowed"), 15);
}

TEST_F(Enrol, TheFifthFailureInARowRaisesAnAlert) {
  const Secret wrong("cvj_0123456789abcdef_" + std::string(64, '0'));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(code(enrol(wrong, "node-1")), "join_token_invalid");
  EXPECT_NE(world_.metrics->text().find("convoy_login_alerts_total 0"), std::string::npos);
  EXPECT_EQ(code(enrol(wrong, "node-1")), "join_token_invalid");
  EXPECT_NE(world_.metrics->text().find("convoy_login_alerts_total 1"), std::string::npos);
}

TEST_F(Enrol, NoSecretReachesTheAuditLog) {
  const Secret once = token();
  EXPECT_EQ(code(enrol(once, "node-1")), "ok");
  EXPECT_EQ(code(enrol(once, "node-2")), "join_token_invalid");
  const std::string secret(once.reveal().substr(once.reveal().rfind('_') + 1));
  for (const auto& event : world_.audit.events()) {
    for (const auto& [key, value] : event.extra) {
      EXPECT_EQ(value.find(secret), std::string::npos) << key;
    }
  }
}

}  // namespace
}  // namespace convoy::tracker
