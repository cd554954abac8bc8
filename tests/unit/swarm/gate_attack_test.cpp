#include <gtest/gtest.h>

#include "support/manual_clock.hpp"
#include "support/swarm_raw_peer.hpp"

// Whoever has a valid node certificate, but not the right ticket, gets not one byte of a blob; and
// every attempt leaves a line in the audit log.
namespace convoy {
namespace {

using namespace std::chrono_literals;
using test::RawAnswer;
using test::RawOptions;
using test::TestBlob;
using test::TestPeer;

class GateAttack : public testing::Test {
 protected:
  GateAttack()
      : blob(TestBlob::make(cluster, test::random_bytes(1 << 20, 1))),
        seeder(loop, cluster, clock, cluster.node("seeder"), nullptr, 300ms),
        attacker(cluster.node("attacker")) {
    torrent = seeder.seed(blob);
  }

  RawOptions raw(Bytes bytes) {
    RawOptions o;
    o.identity = net::TlsIdentity{attacker.pem.chain_pem, attacker.pem.key_pem};
    o.roots_pem = cluster.root.pem();
    o.sni = bt::short_hex(blob.info_hash);
    o.bytes = std::move(bytes);
    return o;
  }
  RawAnswer talk(RawOptions o) {
    return loop.run(
        test::RawPeer::talk(loop.executor(), seeder.engine->local().port, std::move(o)));
  }
  /// The engine's side of a failed handshake ends a little later than the attacker's.
  void await_refusals(std::size_t n) {
    loop.run([](TestPeer& p, std::size_t want) -> net::Task<void> {
      for (int i = 0; i < 500 && p.audit.count("peer.refuse") < want; ++i) {
        co_await net::sleep_for(2ms);
      }
    }(seeder, n));
  }
  /// The first blocks of the blob, as a leecher asks for them.
  static Bytes requests() {
    std::vector<bt::Message> all{bt::HaveNone{}, bt::Interested{}};
    for (std::uint32_t i = 0; i < 32; ++i) all.emplace_back(bt::RequestBlock{{i, 0, 16384}});
    return test::encoded(all);
  }
  static Bytes joined(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  std::string ticket_for(const test::TestNode& node, const bt::InfoHash& hash,
                         security::TicketActions actions = {true, true}) {
    return cluster.ticket(node, blob.meta.digest, hash, actions);
  }
  void expect_refused(const RawAnswer& a, const std::string& reason) {
    await_refusals(1);
    EXPECT_EQ(a.payload, 0U);
    EXPECT_TRUE(a.closed) << "left open";
    EXPECT_EQ(seeder.audit.count("peer.refuse", reason), 1U)
        << "want " << reason << ", have "
        << (seeder.audit.events().empty() ? "nothing" : seeder.audit.events().back().reason);
    EXPECT_EQ(seeder.audit.count("peer.grant"), 0U);
    EXPECT_EQ(torrent->stats().uploaded, 0U);
    for (const auto& m : a.messages) {
      const auto* e = std::get_if<bt::Extended>(&m);
      EXPECT_TRUE(e != nullptr && e->id == 0) << "message before the gate was open";
    }
  }

  test::ManualClock clock{SystemClock().wall()};
  test::TestCluster cluster{clock};
  test::Loop loop;
  TestBlob blob;
  TestPeer seeder;
  test::TestNode attacker;
  std::shared_ptr<swarm::Torrent> torrent;
};

TEST_F(GateAttack, TheRightTicketIsServed) {
  auto o =
      raw(joined(test::greeting(blob.info_hash, ticket_for(attacker, blob.info_hash)), requests()));
  o.stop_at = 32 * 16384;
  const auto a = talk(std::move(o));
  EXPECT_EQ(a.payload, 32U * 16384);
  EXPECT_EQ(seeder.audit.count("peer.grant"), 1U);
}

TEST_F(GateAttack, NoTicket) {
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, ""), requests()))),
                 "ticket_missing");
}

TEST_F(GateAttack, GarbageForATicket) {
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, "a.b.c"), requests()))),
                 "ticket_malformed");
}

TEST_F(GateAttack, BrokenSignature) {
  std::string t = ticket_for(attacker, blob.info_hash);
  t[t.size() - 10] = t[t.size() - 10] == 'A' ? 'B' : 'A';
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, t), requests()))),
                 "ticket_signature");
}

TEST_F(GateAttack, ExpiredTicket) {
  const security::TicketGrant grant{attacker.id,      attacker.certificate.thumbprint(),
                                    blob.meta.digest, blob.info_hash,
                                    {true, true},     100s};
  const std::string t = cluster.ticket_issuer().issue(grant);
  clock.advance(161s);
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, t), requests()))),
                 "ticket_expired");
}

TEST_F(GateAttack, TicketOfAnotherTorrent) {
  auto other = blob.info_hash;
  other[31] ^= 1;
  const std::string t = ticket_for(attacker, other);
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, t), requests()))),
                 "ticket_wrong_blob");
}

TEST_F(GateAttack, StolenTicketOfAnotherCertificate) {
  const auto victim = cluster.node("victim");
  const std::string t = ticket_for(victim, blob.info_hash);
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, t), requests()))),
                 "ticket_wrong_certificate");
}

TEST_F(GateAttack, AResumedSessionNeedsATicketOfItsOwnCertificateToo) {
  const auto other = TestBlob::make(cluster, test::random_bytes(1 << 20, 2));
  seeder.seed(other);
  const auto context = raw({}).new_context();
  const auto resume = [&](const TestBlob& what, const test::TestNode& whose) {
    const std::string t = cluster.ticket(whose, what.meta.digest, what.info_hash, {true, true});
    RawOptions o = raw(joined(test::greeting(what.info_hash, t), requests()));
    o.sni = bt::short_hex(what.info_hash);
    o.context = context;
    o.stop_at = 1;
    return talk(std::move(o));
  };
  EXPECT_GT(resume(blob, attacker).payload, 0U);
  const auto own = resume(other, attacker);
  EXPECT_TRUE(own.resumed) << "for another torrent of the same node";
  EXPECT_GT(own.payload, 0U);
  const auto stolen = resume(other, cluster.node("victim"));
  await_refusals(1);
  EXPECT_TRUE(stolen.resumed);
  EXPECT_TRUE(stolen.closed);
  EXPECT_EQ(stolen.payload, 0U);
  EXPECT_EQ(seeder.audit.count("peer.refuse", "ticket_wrong_certificate"), 1U);
  EXPECT_EQ(seeder.audit.count("peer.grant"), 2U);
}

TEST_F(GateAttack, TicketOfTheSameNodesOldCertificate) {
  const auto old = cluster.node("attacker");
  const std::string t = ticket_for(old, blob.info_hash);
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, t), requests()))),
                 "ticket_wrong_certificate");
}

TEST_F(GateAttack, TicketOfAnotherClustersTracker) {
  test::TestCluster other(clock, "c2");
  const security::TicketGrant grant{attacker.id,
                                    attacker.certificate.thumbprint(),
                                    blob.meta.digest,
                                    blob.info_hash,
                                    {true, true}};
  const std::string t = other.ticket_issuer().issue(grant);
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, t), requests()))),
                 "ticket_signature");
}

TEST_F(GateAttack, RequestsRightBehindTheHandshake) {
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, {}), requests()))),
                 "gate_violation");
}

TEST_F(GateAttack, OnlyRequestsAndNoHandshake) {
  expect_refused(talk(raw(requests())), "gate_not_bittorrent");
}

TEST_F(GateAttack, HashRequestBeforeTheTicket) {
  const bt::HashRequest m{{blob.meta.pieces_root, 0, 0, 64, 0}};
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, {}), test::encoded({m})))),
                 "gate_violation");
}

TEST_F(GateAttack, HaveAndBitfieldFirst) {
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, {}),
                                 test::encoded({bt::Have{1}, bt::HaveAll{}})))),
                 "gate_violation");
}

TEST_F(GateAttack, KeepAliveFirst) {
  expect_refused(
      talk(raw(joined(test::greeting(blob.info_hash, {}), test::encoded({bt::KeepAlive{}})))),
      "gate_violation");
}

TEST_F(GateAttack, UnknownExtensionMessageFirst) {
  const Bytes junk{1, 2, 3};
  expect_refused(
      talk(raw(joined(test::greeting(blob.info_hash, {}), test::encoded({bt::Extended{9, junk}})))),
      "gate_violation");
}

TEST_F(GateAttack, EmptyExtensionHandshake) {
  const Bytes empty{'d', 'e'};
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, {}),
                                 joined(test::encoded({bt::Extended{0, empty}}), requests())))),
                 "ticket_missing");
}

TEST_F(GateAttack, MalformedExtensionHandshake) {
  const Bytes bad{'d', '1', 'x'};
  expect_refused(
      talk(raw(joined(test::greeting(blob.info_hash, {}), test::encoded({bt::Extended{0, bad}})))),
      "extension_handshake_invalid");
}

TEST_F(GateAttack, NoExtensionBit) {
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, {}, false), requests()))),
                 "gate_no_extensions");
}

TEST_F(GateAttack, SilentClientIsClosed) { expect_refused(talk(raw({})), "gate_timeout"); }

TEST_F(GateAttack, ClientThatStopsInTheMiddleIsClosed) {
  const Bytes all = test::greeting(blob.info_hash, ticket_for(attacker, blob.info_hash));
  expect_refused(talk(raw(Bytes(all.begin(), all.end() - 1))), "gate_timeout");
}

TEST_F(GateAttack, OversizeMessageIsRefusedByItsLength) {
  const Bytes long_one{0, 1, 0, 0, 20, 0};
  expect_refused(talk(raw(joined(test::greeting(blob.info_hash, {}), long_one))), "gate_too_large");
}

TEST_F(GateAttack, OtherTorrentInTheHandshakeThanInSni) {
  auto other = blob.info_hash;
  other[0] ^= 1;
  expect_refused(
      talk(raw(joined(test::greeting(other, ticket_for(attacker, blob.info_hash)), requests()))),
      "gate_wrong_torrent");
}

TEST_F(GateAttack, NoCertificate) {
  auto o = raw(joined(test::greeting(blob.info_hash, ""), requests()));
  o.identity.reset();
  expect_refused(talk(std::move(o)), "tls_handshake");
}

TEST_F(GateAttack, CertificateOfAnotherCluster) {
  test::TestCluster other(clock, "c2");
  const auto foreign = other.node("attacker");
  auto o = raw(joined(test::greeting(blob.info_hash, ""), requests()));
  o.identity = net::TlsIdentity{foreign.pem.chain_pem, foreign.pem.key_pem};
  expect_refused(talk(std::move(o)), "tls_handshake");
}

TEST_F(GateAttack, CertificateOfATracker) {
  const auto tracker = cluster.tracker();
  auto o = raw(joined(test::greeting(blob.info_hash, ""), requests()));
  o.identity = net::TlsIdentity{tracker.pem.chain_pem, tracker.pem.key_pem};
  expect_refused(talk(std::move(o)), "peer_wrong_kind");
}

TEST_F(GateAttack, CertificateOfTheTicketSigner) {
  auto o = raw(joined(test::greeting(blob.info_hash, ""), requests()));
  o.identity =
      net::TlsIdentity{cluster.pki.ticket_signer.chain_pem, cluster.pki.ticket_signer.key_pem};
  const auto a = talk(std::move(o));
  await_refusals(1);
  EXPECT_EQ(a.payload, 0U);
  EXPECT_TRUE(a.closed);
  EXPECT_EQ(seeder.audit.count("peer.refuse"), 1U);
}

TEST_F(GateAttack, OwnCertificate) {
  auto o = raw(joined(test::greeting(blob.info_hash, ""), requests()));
  o.identity = net::TlsIdentity{seeder.node.pem.chain_pem, seeder.node.pem.key_pem};
  expect_refused(talk(std::move(o)), "gate_self");
}

TEST_F(GateAttack, UnknownTorrentOrNoNameIsRefusedInTheHandshake) {
  for (const std::string& sni :
       {std::string("0000000000000000000000000000000000000000"), std::string("localhost"),
        std::string(""), bt::short_hex(blob.info_hash).substr(0, 39)}) {
    auto o = raw(
        joined(test::greeting(blob.info_hash, ticket_for(attacker, blob.info_hash)), requests()));
    o.sni = sni;
    const auto a = talk(std::move(o));
    EXPECT_EQ(a.payload, 0U) << sni;
    EXPECT_FALSE(a.connected) << sni;
  }
  await_refusals(4);
  EXPECT_EQ(seeder.audit.count("peer.refuse", "tls_handshake"), 4U);
}

TEST_F(GateAttack, ASeedersTicketTakesNothing) {
  const auto t = ticket_for(attacker, blob.info_hash, {.leech = false, .seed = true});
  const auto a = talk(raw(joined(test::greeting(blob.info_hash, t), requests())));
  EXPECT_EQ(a.payload, 0U);
  EXPECT_TRUE(a.closed);
  EXPECT_EQ(seeder.audit.count("peer.refuse", "ticket_wrong_action"), 1U);
}

TEST_F(GateAttack, AConnectionEndsWhenItsTicketRunsOut) {
  auto o = raw(test::greeting(blob.info_hash, ticket_for(attacker, blob.info_hash)));
  o.limit = 5s;
  test::Tasks tasks(loop);
  tasks->spawn([this]() -> net::Task<void> {
    while (seeder.audit.count("peer.grant") == 0) co_await net::sleep_for(1ms);
    clock.advance(600s + 61s);
  });
  const auto a = talk(std::move(o));
  EXPECT_TRUE(a.closed);
  EXPECT_EQ(seeder.audit.count("peer.refuse", "ticket_expired"), 1U);
}

TEST_F(GateAttack, ARenewedTicketMustBeGoodToo) {
  const auto victim = cluster.node("victim");
  const std::string stolen = ticket_for(victim, blob.info_hash);
  auto o = raw(test::greeting(blob.info_hash, ticket_for(attacker, blob.info_hash)));
  o.later = joined(test::encoded({bt::HaveNone{}}),
                   test::encoded({bt::Extended{1, to_bytes(as_bytes(stolen))}}));
  const auto a = talk(std::move(o));
  EXPECT_TRUE(a.closed);
  EXPECT_EQ(seeder.audit.count("peer.refuse", "ticket_wrong_certificate"), 1U);
}

/// How often a peer is shown a new ticket in 1.3 s, in which the node gets one, by how long the one
/// that opened the gate was good.
class ShownTickets : public GateAttack {
 protected:
  std::size_t shown(std::chrono::seconds first) {
    int renewals = 0;
    auto spec = seeder.spec(blob, std::make_shared<test::MemoryPieces>(blob.bytes));
    spec.grant.expires_in = first;
    spec.grant.interval = 1s;
    spec.renew = [this, &renewals](bool) -> net::Task<Result<swarm::Grant>> {
      ++renewals;
      co_return seeder.grant(blob);
    };
    EXPECT_TRUE(seeder.engine->add(std::move(spec)).ok());
    test::Tasks tasks(loop);
    tasks->spawn([this]() -> net::Task<void> {
      co_await net::sleep_for(500ms);
      clock.advance(1s);
    });
    auto o = raw(joined(test::greeting(blob.info_hash, ticket_for(attacker, blob.info_hash)),
                        test::encoded({bt::HaveNone{}})));
    o.limit = 1300ms;
    const auto a = talk(std::move(o));
    EXPECT_EQ(renewals, 1);
    return static_cast<std::size_t>(
        std::count_if(a.messages.begin(), a.messages.end(), [](const auto& m) {
          const auto* e = std::get_if<bt::Extended>(&m);
          return e != nullptr && e->id == 7;
        }));
  }
};

TEST_F(ShownTickets, OneThatLastsIsNotReplaced) { EXPECT_EQ(shown(600s), 0U); }
TEST_F(ShownTickets, OneThatDoesNotLastIs) { EXPECT_EQ(shown(2s), 1U); }

TEST_F(GateAttack, SecondMalformedRequestCloses) {
  auto o = raw(joined(test::greeting(blob.info_hash, ticket_for(attacker, blob.info_hash)),
                      test::encoded({bt::HaveNone{}, bt::RequestBlock{{0, 1, 16384}},
                                     bt::RequestBlock{{0, 0, 20000}}})));
  const auto a = talk(std::move(o));
  EXPECT_TRUE(a.closed);
  EXPECT_EQ(a.payload, 0U);
  EXPECT_EQ(seeder.audit.count("peer.refuse", "peer_violation"), 1U);
}

}  // namespace
}  // namespace convoy
