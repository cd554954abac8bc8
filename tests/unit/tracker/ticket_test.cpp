#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "support/tracker_world.hpp"

namespace convoy::tracker {
namespace {

using test::TestNode;
using test::TrackerWorld;
using namespace std::chrono_literals;

class Tickets : public testing::Test {
 protected:
  Tickets() {
    world_.registry.blobs["team/app"] = {world_.digest('a'), world_.digest('b')};
    world_.registry.blobs["team/other"] = {world_.digest('c')};
    world_.start();
  }

  clients::TrackerClient& client() {
    if (client_ == nullptr) client_ = &world_.as(node_);
    return *client_;
  }
  /// Refused for what the token itself is, and not passed on to the registry.
  void expect_forgery_refused(const Secret& authorization) {
    const std::string got = code(with(authorization));
    EXPECT_TRUE(got.starts_with("token_") || got.starts_with("certificate_")) << got;
    EXPECT_EQ(heads(), 0u);
  }
  std::string code(clients::TicketRequest request) { return code_of(ask(std::move(request))); }
  Result<clients::TicketReply> ask(clients::TicketRequest request) {
    return world_.ticket(client(), std::move(request));
  }
  static std::string code_of(const Result<clients::TicketReply>& reply) {
    return reply.ok() ? "ok" : reply.error().code();
  }
  clients::TicketRequest with(Secret authorization) {
    auto request = world_.wish();
    request.authorization = std::move(authorization);
    return request;
  }
  std::size_t heads() const { return world_.registry.http.count("HEAD", "/v2/"); }

  /// The claims of a good token, changed, signed by `signer`.
  Secret forge(const crypto::Signer& signer, std::string_view claim, boost::json::value value) {
    const auto good = world_.token_for("team/app");
    auto claims = auth::parse_jwt(good.reveal().substr(7)).value().claims;
    if (!claim.empty()) claims[claim] = std::move(value);
    return Secret("Bearer " + crypto::sign_jwt(signer, "JWT", claims));
  }

  TrackerWorld world_;
  TestNode node_ = world_.cluster.node("n1");
  clients::TrackerClient* client_ = nullptr;
};

TEST_F(Tickets, GoodTokenGivesATicketBoundToTheCertificate) {
  const auto reply = ask(world_.wish());
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_EQ(reply->expires_in, 600s);
  EXPECT_EQ(reply->info_hash, to_hex(world_.info_hash(world_.digest())));
  EXPECT_TRUE(reply->peers.empty());
  const auto digest = oci::Digest::parse(world_.digest()).value();
  EXPECT_TRUE(world_.keys.metadata_verifier().verify(reply->metadata, digest).ok());

  const security::TicketDemand demand{
      digest, world_.info_hash(world_.digest()), {.leech = true, .seed = true}};
  const auto verifier = world_.cluster.ticket_verifier();
  const auto ticket = verifier.verify(reply->ticket, node_.certificate, demand);
  ASSERT_TRUE(ticket.ok()) << ticket.error().text();
  EXPECT_EQ(ticket->certificate, node_.certificate.thumbprint());
  const TestNode same_name = world_.cluster.node("n1");
  EXPECT_FALSE(verifier.verify(reply->ticket, same_name.certificate, demand).ok());
  EXPECT_EQ(heads(), 0u) << "the registry's own token is verified offline";
}

TEST_F(Tickets, TheZoneSaidGoesIntoTheTicketAndTheAnswer) {
  auto wish = world_.wish();
  wish.zone = bt::Zone::parse("rack-7").value();
  const auto reply = ask(std::move(wish));
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_EQ(reply->zone.str(), "rack-7");
  EXPECT_EQ(reply->zone_index, 0U);
  EXPECT_EQ(reply->zone_count, 1U);
  const auto digest = oci::Digest::parse(world_.digest()).value();
  const security::TicketDemand demand{digest, world_.info_hash(world_.digest()), {}};
  const auto ticket =
      world_.cluster.ticket_verifier().verify(reply->ticket, node_.certificate, demand);
  ASSERT_TRUE(ticket.ok()) << ticket.error().text();
  EXPECT_EQ(ticket->zone.str(), "rack-7");
  const auto events = world_.audit.events();
  ASSERT_EQ(events.size(), 1u);
  const std::pair<std::string, std::string> zone("zone", "rack-7");
  EXPECT_EQ(std::count(events[0].extra.begin(), events[0].extra.end(), zone), 1);
}

TEST_F(Tickets, GrantIsAudited) {
  ASSERT_EQ(code(world_.wish()), "ok");
  const auto events = world_.audit.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].action, "ticket.grant");
  EXPECT_EQ(events[0].actor, "alice");
  EXPECT_EQ(events[0].node, node_.id.str());
  EXPECT_EQ(events[0].repository, "team/app");
  EXPECT_EQ(events[0].digest, world_.digest());
  EXPECT_EQ(events[0].request_id, "rid-00000001");
  EXPECT_EQ(events[0].remote_ip, "127.0.0.1");
}

TEST_F(Tickets, TokenForAnotherRepositoryOrActionIsDenied) {
  EXPECT_EQ(code(with(world_.token_for("team/other"))), "pull_denied");
  EXPECT_EQ(code(with(world_.token_for("team/app", "alice", "push"))), "pull_denied");
  EXPECT_EQ(code(with(world_.token_for("team/app", "alice", "*"))), "ok");
  EXPECT_EQ(world_.audit.count("ticket.refuse", "pull_denied"), 2u);
}

TEST_F(Tickets, ExpiredTokenAndOtherAudienceAreRefused) {
  const auto signer = world_.keys.token_signer();
  const Secret good = world_.token_for("team/app");
  world_.clock.advance(361s);
  EXPECT_EQ(code(with(good)), "token_expired");
  EXPECT_EQ(code(with(forge(signer, "aud", "another.test"))), "token_audience");
  const auto future = (world_.clock.wall() + 300s).time_since_epoch().count();
  EXPECT_EQ(code(with(forge(signer, "nbf", future))), "token_not_yet_valid");
  EXPECT_EQ(heads(), 0u);
}

TEST_F(Tickets, TokenSignedByAForeignCaIsRefused) {
  test::TestRegistryKeys foreign(world_.clock, "issuer.test", "audience.test");
  expect_forgery_refused(forge(foreign.token_signer(), "", nullptr));
}

TEST_F(Tickets, MetadataKeyOrNodeKeyCannotSignTokens) {
  expect_forgery_refused(forge(world_.keys.metadata_signer(), "", nullptr));
  const crypto::Signer node{node_.key,
                            crypto::Certificate::chain_from_pem(node_.pem.chain_pem).value()};
  expect_forgery_refused(forge(node, "", nullptr));
}

TEST_F(Tickets, KidAndEmbeddedKeyOfAForgerAreNotBelieved) {
  const auto key = crypto::PrivateKey::generate();
  const auto good = auth::parse_jwt(world_.token_for("team/app").reveal().substr(7)).value();
  boost::json::object header;
  header["alg"] = "ES256";
  header["typ"] = "JWT";
  header["kid"] = good.key_id;
  boost::json::object jwk;
  jwk["kty"] = "EC";
  jwk["crv"] = "P-256";
  header["jwk"] = jwk;
  const std::string input = auth::jwt_signing_input(header, good.claims);
  const std::string forged = auth::jwt_compact(input, key.sign(as_bytes(input)));
  expect_forgery_refused(Secret("Bearer " + forged));
  header["alg"] = "none";
  const std::string unsigned_input = auth::jwt_signing_input(header, good.claims);
  expect_forgery_refused(Secret("Bearer " + auth::jwt_compact(unsigned_input, {})));
}

TEST_F(Tickets, ForeignIssuersTokenIsDecidedByTheRegistry) {
  test::TestRegistryKeys foreign(world_.clock, "foreign.test", "audience.test");
  const std::vector<auth::Access> access{{"repository", "team/app", {"pull"}}};
  const std::string value = "Bearer " + foreign.token_issuer().issue("bob", access).token;
  EXPECT_EQ(code(with(Secret(value))), "authorization_refused");
  EXPECT_EQ(heads(), 1u);
  world_.registry.welcome.insert(value);
  EXPECT_EQ(code(with(Secret(value))), "ok");
}

TEST_F(Tickets, AnonymousPullIsDecidedByTheRegistry) {
  auto request = world_.wish();
  request.authorization.reset();
  EXPECT_EQ(code(request), "authorization_required");
  world_.registry.welcome.insert("");
  EXPECT_EQ(code(request), "ok");
}

TEST_F(Tickets, RegistrysYesIsBelievedForTenSecondsAndForThisCredentialAlone) {
  const std::string alice = "Basic YWxpY2U6cHc=";
  world_.registry.welcome.insert(alice);
  EXPECT_EQ(code(with(Secret(alice))), "ok");
  EXPECT_EQ(code(with(Secret(alice))), "ok");
  EXPECT_EQ(heads(), 1u);
  EXPECT_EQ(code(with(Secret("Basic YWxpY2U6cHg="))), "authorization_refused");
  auto other_blob = with(Secret(alice));
  other_blob.digest = oci::Digest::parse(world_.digest('b')).value();
  EXPECT_EQ(code(other_blob), "ok");
  EXPECT_EQ(heads(), 3u);
  world_.registry.welcome.clear();
  world_.clock.advance(10s);
  EXPECT_EQ(code(with(Secret(alice))), "authorization_refused");
  EXPECT_EQ(world_.audit.events().front().actor, "alice");
}

TEST_F(Tickets, RefusalsOfTheRegistryAreNotKept) {
  const Secret bob("Basic Ym9iOnB3");
  world_.registry.head_status = 403;
  EXPECT_EQ(code(with(bob)), "pull_denied");
  world_.registry.welcome.insert("Basic Ym9iOnB3");
  EXPECT_EQ(code(with(bob)), "ok");
}

TEST_F(Tickets, MalformedAuthorizationIsRefusedUnasked) {
  for (const char* value : {"Bearer", "Bearer  x", "Basic !!", "Digest x", " Bearer x",
                            "Bearer x\n", "Basic YWxpY2U="}) {
    EXPECT_EQ(code(with(Secret(value))), "authorization_invalid") << value;
  }
  EXPECT_EQ(world_.registry.http.seen.size(), 0u);
}

TEST_F(Tickets, BlobMustBeInThatRepository) {
  auto request = world_.wish("team/other");
  EXPECT_EQ(code(request), "blob_unknown");
  request.digest = oci::Digest::parse(world_.digest('c')).value();
  EXPECT_EQ(code(request), "ok");
  EXPECT_EQ(code(world_.wish("team/none")), "blob_unknown");
}

TEST_F(Tickets, UnknownRegistryIsNotAsked) {
  auto request = world_.wish();
  request.registry = "evil.test";
  const auto reply = ask(request);
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), "registry_unknown");
  EXPECT_EQ(reply.error().kind(), ErrorClass::not_found);
  EXPECT_TRUE(world_.registry.http.seen.empty());
}

TEST_F(Tickets, RegistryThatIsDownIsUnavailable) {
  world_.registry.http.stop();
  const auto reply = ask(world_.wish());
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), "registry_unavailable");
  EXPECT_EQ(reply.error().kind(), ErrorClass::unavailable);
  EXPECT_EQ(code(with(Secret("Basic YWxpY2U6cHc="))), "registry_unavailable");
}

TEST_F(Tickets, MetadataIsKeptForAMinuteAndAskedForWithTheTrackersCertificate) {
  EXPECT_EQ(code(world_.wish()), "ok");
  EXPECT_EQ(code(world_.wish()), "ok");
  EXPECT_EQ(world_.registry.http.count("GET", "/convoy/"), 1u);
  world_.clock.advance(60s);
  world_.registry.blobs.clear();
  EXPECT_EQ(code(world_.wish()), "blob_unknown");
}

TEST_F(Tickets, StatementThatDoesNotVerifyIsNotPassedOn) {
  test::TestRegistryKeys foreign(world_.clock, "issuer.test", "audience.test");
  world_.registry.spoil = foreign.metadata().sign(test::FakeRegistry::meta_of(world_.digest()));
  EXPECT_EQ(code(world_.wish()), "registry_metadata_invalid");
  world_.registry.spoil =
      world_.keys.metadata().sign(test::FakeRegistry::meta_of(world_.digest('b')));
  EXPECT_EQ(code(world_.wish()), "registry_metadata_invalid");
}

TEST_F(Tickets, TicketDoesNotOutliveTheCertificate) {
  auto& brief = world_.as(world_.cluster.node("n2", security::NodeKind::node, 90s));
  const auto reply = world_.ticket(brief, world_.wish());
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_LE(reply->expires_in, 90s);
  EXPECT_GE(reply->expires_in, 60s);
}

TEST_F(Tickets, PeersAreHandedOutAtTheirSocketAddress) {
  auto& second = world_.as(world_.cluster.node("n2"), "127.0.0.2");
  ASSERT_EQ(code(world_.wish("team/app", 7001)), "ok");
  const auto reply = world_.ticket(second, world_.wish("team/app", 7002));
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->peers.size(), 1u);
  EXPECT_EQ(reply->peers[0].address, (bt::PeerEndpoint{"127.0.0.1", 7001}));
  const auto back = ask(world_.wish("team/app", 7001));
  ASSERT_EQ(back->peers.size(), 1u);
  EXPECT_EQ(back->peers[0].address, (bt::PeerEndpoint{"127.0.0.2", 7002}));
}

TEST_F(Tickets, WhoKnowsTheSwarmGetsPeersAlone) {
  auto& second = world_.as(world_.cluster.node("n2"), "127.0.0.2");
  ASSERT_EQ(code(world_.wish("team/app", 7001)), "ok");
  auto wish = world_.wish("team/app", 7002);
  wish.known = world_.info_hash(world_.digest());
  const auto reply = world_.ticket(second, wish);
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_EQ(reply->ticket, "");
  EXPECT_EQ(reply->metadata, "");
  ASSERT_EQ(reply->peers.size(), 1u);
  const auto back = ask(world_.wish("team/app", 7001));
  EXPECT_EQ(back->peers.size(), 1u) << "and has joined";
  const std::pair<std::string, std::string> note("ticket", "known");
  const auto events = world_.audit.events();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(std::count(events[1].extra.begin(), events[1].extra.end(), note), 1);
  EXPECT_EQ(std::count(events[2].extra.begin(), events[2].extra.end(), note), 0);
}

TEST_F(Tickets, WhoKnowsAnotherSwarmGetsATicket) {
  auto wish = world_.wish();
  wish.known = world_.info_hash(world_.digest('b'));
  const auto reply = ask(wish);
  ASSERT_TRUE(reply.ok());
  EXPECT_NE(reply->ticket, "");
}

TEST_F(Tickets, KnowingTheSwarmGivesNoRight) {
  auto wish = world_.wish("team/other");
  wish.known = world_.info_hash(world_.digest());
  EXPECT_EQ(code(wish), "blob_unknown");
  wish = with(world_.token_for("team/other"));
  wish.known = world_.info_hash(world_.digest());
  EXPECT_EQ(code(wish), "pull_denied");
}

TEST_F(Tickets, CallWithoutPortAsksWithoutJoining) {
  auto& second = world_.as(world_.cluster.node("n2"), "127.0.0.2");
  ASSERT_EQ(code(world_.wish("team/app", 0)), "ok");
  const auto reply = world_.ticket(second, world_.wish());
  EXPECT_TRUE(reply->peers.empty());
  EXPECT_TRUE(ask(world_.wish("team/app", 0))->peers.empty());
}

TEST_F(Tickets, ManyAtOnceAskTheRegistryOnce) {
  std::vector<std::optional<Result<clients::TicketReply>>> replies(20);
  test::Tasks tasks(world_.loop);
  net::Notify done(world_.loop.executor());
  std::size_t left = replies.size();
  const auto one = [&](std::size_t i) -> net::Task<void> {
    auto request = world_.wish();
    replies[i] = co_await client().ticket(std::move(request), world_.soon());
    if (--left == 0) done.notify_all();
  };
  for (std::size_t i = 0; i < replies.size(); ++i) tasks->spawn([&one, i] { return one(i); });
  world_.loop.run(done.wait(20s));
  for (const auto& reply : replies) EXPECT_TRUE(reply && reply->ok());
  EXPECT_EQ(world_.registry.http.count("GET", "/convoy/"), 1u);
}

TEST_F(Tickets, RestartedTrackerGoesOnWithTheNextCall) {
  ASSERT_EQ(code(world_.wish()), "ok");
  world_.loop.run(world_.service->stop(Duration::zero()));
  world_.service.reset();
  world_.start();
  auto& again = world_.as(node_);
  EXPECT_EQ(code_of(world_.ticket(again, world_.wish())), "ok");
}

}  // namespace
}  // namespace convoy::tracker
