#include "security/token/ticket.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "forge.hpp"
#include "support/manual_clock.hpp"
#include "support/pki.hpp"

namespace convoy::security {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class TicketTest : public testing::Test {
 protected:
  TicketDemand demand() const { return {digest_, info_hash_, {.leech = true, .seed = true}}; }
  std::string check(const std::string& ticket, const crypto::Certificate& connection,
                    const TicketDemand& wanted) {
    const auto got = cluster_.ticket_verifier().verify(ticket, connection, wanted);
    return got ? "" : got.error().code();
  }
  std::string check(const std::string& ticket) {
    return check(ticket, node_.certificate, demand());
  }
  std::string ticket() { return cluster_.ticket(node_, digest_, info_hash_); }
  crypto::Signer signer() { return load_signer(cluster_.pki.ticket_signer).value(); }
  /// A ticket with one claim put otherwise by somebody who holds the signing key.
  std::string with(std::string_view claim, json::value value) {
    return test::resign(ticket(), signer(), claim, std::move(value));
  }
  std::int64_t now() { return clock_.wall().time_since_epoch().count(); }

  test::ManualClock clock_;
  test::TestCluster cluster_{clock_};
  test::TestNode node_ = cluster_.node("node-1");
  oci::Digest digest_ = oci::Digest::sha256(crypto::sha256(as_bytes("blob")));
  Hash256 info_hash_ = crypto::sha256(as_bytes("info"));
};

TEST_F(TicketTest, SaysWhatWasGranted) {
  const auto got = cluster_.ticket_verifier().verify(ticket(), node_.certificate, demand());
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->subject, node_.id);
  EXPECT_EQ(got->issuer, cluster_.tracker().id);
  EXPECT_EQ(got->cluster, "c1");
  EXPECT_EQ(got->digest, digest_);
  EXPECT_EQ(got->info_hash, info_hash_);
  EXPECT_EQ(got->certificate, node_.certificate.thumbprint());
  EXPECT_EQ(got->expires, clock_.wall() + 600s);
  EXPECT_EQ(got->id.size(), 32u);
}

TEST_F(TicketTest, CarriesTheZoneAndLeavesTheCommonOneOut) {
  const auto zone_in = [&](const std::string& text) {
    const auto got = cluster_.ticket_verifier().verify(text, node_.certificate, demand());
    return got ? got->zone.str() : got.error().code();
  };
  EXPECT_EQ(zone_in(ticket()), "");
  EXPECT_FALSE(test::claims_of(ticket()).contains("zone"));
  EXPECT_EQ(zone_in(with("zone", "rack-7")), "rack-7");
  EXPECT_EQ(zone_in(with("zone", json::string(63, 'z'))), std::string(63, 'z'));
  EXPECT_EQ(check(with("zone", json::string(64, 'z'))), "ticket_malformed");
  EXPECT_EQ(check(with("zone", "a b")), "ticket_malformed");
  EXPECT_EQ(check(with("zone", 7)), "ticket_malformed");
  EXPECT_EQ(check(with("zone", json::object())), "ticket_malformed");
}

TEST_F(TicketTest, ItsHolderCannotPutAZoneIntoIt) {
  const auto forged = test::resign(ticket(), load_signer(node_.pem).value(), "zone", "elsewhere");
  EXPECT_EQ(check(forged), "ticket_signature");
}

TEST_F(TicketTest, IsShortEnoughForTheHandshake) { EXPECT_LT(ticket().size(), 4096u); }

TEST_F(TicketTest, RefusesWhatIsNoTicket) {
  for (const std::string text : {"", ".", "..", "a.b.c", "e30.e30.", "hello"}) {
    EXPECT_EQ(check(text), "ticket_malformed") << text;
  }
  EXPECT_EQ(check(std::string(16 * 1024 + 1, 'a')), "ticket_malformed");
  EXPECT_EQ(check(ticket() + "="), "ticket_malformed");
  EXPECT_EQ(check(ticket() + ".e30"), "ticket_malformed");
}

TEST_F(TicketTest, RefusesAnotherAlgorithmOrType) {
  const auto claims = test::claims_of(ticket());
  EXPECT_EQ(check(crypto::sign_jwt(signer(), "JWT", claims)), "ticket_malformed");
  EXPECT_EQ(check(crypto::sign_jwt(signer(), "", claims)), "ticket_malformed");
  const std::string none = to_base64url(as_bytes(R"({"alg":"none","typ":"convoy-ticket+jwt"})"));
  const std::string good = ticket();
  EXPECT_EQ(check(none + good.substr(good.find('.'))), "ticket_malformed");
}

TEST_F(TicketTest, RefusesAnUnsignedOrChangedTicket) {
  const std::string good = ticket();
  EXPECT_EQ(check(good.substr(0, good.rfind('.') + 1)), "ticket_signature");
  std::string bad = good;
  const std::size_t at = good.rfind('.') + 10;
  bad[at] = bad[at] == 'A' ? 'B' : 'A';
  EXPECT_EQ(check(bad), "ticket_signature");
}

TEST_F(TicketTest, RefusesTheSignatureOfAnyOtherKeyOfTheCluster) {
  const auto claims = test::claims_of(ticket());
  const std::string type = "convoy-ticket+jwt";
  const auto by = [&](const crypto::Signer& s) { return check(crypto::sign_jwt(s, type, claims)); };
  EXPECT_EQ(by(load_signer(node_.pem).value()), "ticket_signature") << "a node's own key";
  EXPECT_EQ(by(load_signer(cluster_.pki.tracker).value()), "ticket_signature");
  EXPECT_EQ(by(load_signer(cluster_.pki.issuing).value()), "ticket_signature");
  EXPECT_EQ(by({node_.key, signer().chain}), "ticket_signature") << "the right chain, a wrong key";
  const test::TestRegistryKeys registry(clock_);
  EXPECT_EQ(by(registry.token_signer()), "ticket_signature");
}

TEST_F(TicketTest, RefusesASelfMadeChain) {
  test::TestCluster fake(clock_);  // the same names, other keys
  const auto claims = test::claims_of(ticket());
  const auto forged =
      crypto::sign_jwt(load_signer(fake.pki.ticket_signer).value(), "convoy-ticket+jwt", claims);
  EXPECT_EQ(check(forged), "ticket_signature");
}

TEST_F(TicketTest, RefusesASignerThatHasExpired) {
  const auto expires = signer().chain.front().not_after();
  const auto node = cluster_.node("late");
  clock_.advance(expires - clock_.wall() + 1s);
  EXPECT_EQ(check(cluster_.ticket(node, digest_, info_hash_), node.certificate, demand()),
            "ticket_signature");
}

TEST_F(TicketTest, RunsOutWithLeeway) {
  const std::string t = ticket();
  clock_.advance(600s + 59s);
  EXPECT_EQ(check(t), "");
  clock_.advance(1s);
  EXPECT_EQ(check(t), "ticket_expired");
}

TEST_F(TicketTest, BeginsWithLeeway) {
  const std::string t = ticket();
  clock_.advance(-60s);
  EXPECT_EQ(check(t), "");
  clock_.advance(-1s);
  EXPECT_EQ(check(t), "ticket_not_yet_valid");
  clock_.advance(61s);
  EXPECT_EQ(check(with("nbf", now() + 61)), "ticket_not_yet_valid");
  EXPECT_EQ(check(with("iat", now() + 61)), "ticket_not_yet_valid");
}

TEST_F(TicketTest, LivesAtMostTenMinutes) {
  EXPECT_EQ(check(with("exp", now() + 600)), "");
  EXPECT_EQ(check(with("exp", now() + 601)), "ticket_malformed");
  EXPECT_EQ(check(with("exp", now() + 400'000'000)), "ticket_malformed");
  EXPECT_EQ(check(with("exp", now())), "ticket_malformed") << "not after iat";
  const TicketGrant grant{
      node_.id, node_.certificate.thumbprint(), digest_, info_hash_, demand().actions, 3600s};
  EXPECT_EQ(check(cluster_.ticket_issuer().issue(grant)), "") << "cut to the maximum";
}

TEST_F(TicketTest, RefusesTimesThatAreNoTimes) {
  for (const char* claim : {"exp", "iat", "nbf"}) {
    EXPECT_EQ(check(with(claim, "soon")), "ticket_malformed") << claim;
    EXPECT_EQ(check(with(claim, -1)), "ticket_malformed") << claim;
    EXPECT_EQ(check(with(claim, 1e300)), "ticket_malformed") << claim;
    EXPECT_EQ(check(with(claim, INT64_MAX)), "ticket_malformed") << claim;
  }
  EXPECT_EQ(check(with("exp", nullptr)), "ticket_malformed");
  EXPECT_EQ(check(with("iat", nullptr)), "ticket_malformed");
}

TEST_F(TicketTest, RefusesAnotherAudience) {
  EXPECT_EQ(check(with("aud", "registry")), "ticket_audience");
  EXPECT_EQ(check(with("aud", json::array{"swarm"})), "ticket_audience");
  EXPECT_EQ(check(with("aud", nullptr)), "ticket_audience");
}

TEST_F(TicketTest, RefusesAnotherCluster) {
  EXPECT_EQ(check(with("cluster", "c2")), "ticket_wrong_cluster");
  EXPECT_EQ(check(with("iss", "spiffe://example.org/cluster/c2/tracker/tracker-1")),
            "ticket_wrong_cluster");
  EXPECT_EQ(check(with("iss", "spiffe://example.com/cluster/c1/tracker/tracker-1")),
            "ticket_wrong_subject")
      << "the node's trust domain is another";
  const TicketVerifier other("c2", cluster_.roots(), clock_);
  EXPECT_EQ(other.verify(ticket(), node_.certificate, demand()).error().code(),
            "ticket_wrong_cluster");
}

TEST_F(TicketTest, RefusesAnotherBlobOrTorrent) {
  auto wanted = demand();
  wanted.info_hash[0] ^= 1;
  EXPECT_EQ(check(ticket(), node_.certificate, wanted), "ticket_wrong_blob");
  wanted = demand();
  wanted.digest = oci::Digest::sha256(crypto::sha256(as_bytes("another blob")));
  EXPECT_EQ(check(ticket(), node_.certificate, wanted), "ticket_wrong_blob");
}

// A ticket that was stolen, or that the peer just received from somebody else.
TEST_F(TicketTest, RefusesAnotherNodesTicket) {
  const auto thief = cluster_.node("node-2");
  EXPECT_EQ(check(ticket(), thief.certificate, demand()), "ticket_wrong_certificate");
}

// The node's certificate was renewed: a ticket belongs to the one it was made for.
TEST_F(TicketTest, RefusesATicketForAnEarlierCertificateOfTheSameNode) {
  const auto renewed = cluster_.node("node-1");
  EXPECT_EQ(check(ticket(), renewed.certificate, demand()), "ticket_wrong_certificate");
}

TEST_F(TicketTest, RefusesASubjectThatIsNotTheCertificates) {
  EXPECT_EQ(check(with("sub", "spiffe://example.org/cluster/c1/node/node-2")),
            "ticket_wrong_subject");
  EXPECT_EQ(check(with("sub", "spiffe://example.org/cluster/c1/origin/node-1")),
            "ticket_wrong_subject");
}

TEST_F(TicketTest, RefusesACertificateWithoutOneName) {
  SystemRandom random;
  crypto::CertSpec spec;
  spec.common_name = "node-1";
  spec.not_before = clock_.wall() - 1h;
  spec.not_after = clock_.wall() + 1h;
  for (const auto& uris : std::vector<std::vector<std::string>>{
           {}, {node_.id.str(), "spiffe://example.org/cluster/c1/node/node-2"}}) {
    spec.uris = uris;
    const auto issuing = load_signer(cluster_.pki.issuing).value();
    const auto cert =
        crypto::issue(spec, node_.key.public_key(), issuing.chain[0], issuing.key, random);
    const TicketGrant grant{node_.id, cert.thumbprint(), digest_, info_hash_, demand().actions};
    EXPECT_EQ(check(cluster_.ticket_issuer().issue(grant), cert, demand()), "ticket_wrong_subject");
  }
}

// Both clusters below one root by mistake: the names still keep them apart.
TEST_F(TicketTest, RefusesANodeOfAnotherClusterBelowTheSameRoot) {
  SystemRandom random;
  const auto issuing = load_signer(cluster_.pki.issuing).value();
  const SpiffeId foreign{"example.org", "c2", NodeKind::node, "node-1"};
  crypto::CertSpec spec;
  spec.uris = {foreign.str()};
  spec.not_before = clock_.wall() - 1h;
  spec.not_after = clock_.wall() + 1h;
  const auto cert =
      crypto::issue(spec, node_.key.public_key(), issuing.chain[0], issuing.key, random);
  const TicketGrant grant{foreign, cert.thumbprint(), digest_, info_hash_, demand().actions};
  EXPECT_EQ(check(cluster_.ticket_issuer().issue(grant), cert, demand()), "ticket_wrong_subject");
}

TEST_F(TicketTest, DemandsTheAction) {
  const auto only = [&](TicketActions have, TicketActions want) {
    auto wanted = demand();
    wanted.actions = want;
    return check(cluster_.ticket(node_, digest_, info_hash_, have), node_.certificate, wanted);
  };
  const TicketActions leech{.leech = true};
  const TicketActions seed{.seed = true};
  EXPECT_EQ(only(seed, seed), "");
  EXPECT_EQ(only(leech, leech), "");
  EXPECT_EQ(only(seed, leech), "ticket_wrong_action");
  EXPECT_EQ(only(leech, seed), "ticket_wrong_action");
  EXPECT_EQ(only(leech, {true, true}), "ticket_wrong_action");
}

TEST_F(TicketTest, RefusesActionsItDoesNotKnow) {
  EXPECT_EQ(check(with("act", json::array{"leech", "seed", "admin"})), "ticket_malformed");
  EXPECT_EQ(check(with("act", json::array{"leech", "leech"})), "ticket_malformed");
  EXPECT_EQ(check(with("act", json::array{})), "ticket_malformed");
  EXPECT_EQ(check(with("act", "leech seed")), "ticket_malformed");
  EXPECT_EQ(check(with("act", json::array{1})), "ticket_malformed");
}

TEST_F(TicketTest, EveryClaimMustBeThere) {
  for (const char* claim : {"iss", "sub", "cluster", "dig", "ih", "act", "cnf", "jti"}) {
    EXPECT_EQ(check(with(claim, nullptr)), "ticket_malformed") << claim;
    EXPECT_EQ(check(with(claim, 7)), "ticket_malformed") << claim;
    EXPECT_EQ(check(with(claim, "")),
              claim == std::string("cluster") ? "ticket_wrong_cluster" : "ticket_malformed")
        << claim;
  }
  EXPECT_EQ(check(with("iss", "spiffe://example.org/cluster/c1/node/node-1")), "ticket_malformed")
      << "no tracker";
}

TEST_F(TicketTest, RefusesAThumbprintThatIsNone) {
  const auto cnf = [&](json::value v) { return check(with("cnf", std::move(v))); };
  EXPECT_EQ(cnf(json::object{}), "ticket_malformed");
  EXPECT_EQ(cnf(json::object{{"x5t#S256", ""}}), "ticket_malformed");
  EXPECT_EQ(cnf(json::object{{"x5t#S256", "AAAA"}}), "ticket_malformed");
  EXPECT_EQ(cnf(json::object{{"x5t", to_base64url(node_.certificate.thumbprint())}}),
            "ticket_malformed");
  EXPECT_EQ(cnf(json::object{{"x5t#S256", to_hex(node_.certificate.thumbprint())}}),
            "ticket_malformed");
}

}  // namespace
}  // namespace convoy::security
