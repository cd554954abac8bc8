#include <fstream>
#include <gtest/gtest.h>

#include "support/sanitizer.hpp"
#include "support/swarm_raw_peer.hpp"

// Peers that lie, die or come back.
namespace convoy {
namespace {

using namespace std::chrono_literals;
using test::MemoryPieces;
using test::TestBlob;
using test::TestPeer;

class Trouble : public testing::Test {
 protected:
  TestPeer& add(test::TestNode identity, std::shared_ptr<net::RateLimiter> upload = nullptr) {
    return *peers.emplace_back(
        std::make_unique<TestPeer>(loop, cluster, clock, std::move(identity), std::move(upload)));
  }
  TestPeer& node(const std::string& name, std::uint64_t upload_rate = 0) {
    auto limit = upload_rate == 0
                     ? nullptr
                     : std::make_shared<net::RateLimiter>(loop.executor(), upload_rate);
    return add(cluster.node(name), limit);
  }
  bool complete(std::shared_ptr<swarm::Torrent> t, Duration limit = 30s) {
    return loop.run(test::wait_complete(std::move(t), limit), 120s);
  }
  void wait(Duration d) {
    loop.run([](Duration t) -> net::Task<void> { co_await net::sleep_for(t); }(d));
  }
  /// A seeder whose disk gives wrong bytes in every block.
  std::shared_ptr<swarm::Torrent> seed_lies(TestPeer& p, const TestBlob& blob) {
    Bytes wrong = blob.bytes;
    for (std::size_t i = 0; i < wrong.size(); i += 16384) wrong[i] ^= 1;
    auto s = p.spec(blob, std::make_shared<MemoryPieces>(std::move(wrong)));
    s.leaves = blob.leaves;
    return p.engine->add(std::move(s)).value();
  }
  ~Trouble() override { peers.clear(); }

  SystemClock clock;
  test::TestCluster cluster{clock};
  test::Loop loop;
  std::vector<std::unique_ptr<TestPeer>> peers;
};

TEST_F(Trouble, ADownloadBesideALiarEndsWithRightBytesAndBlamesNobodyElse) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(8 << 20, 1), 256 << 10);
  // Eight seconds for the honest one alone: the liar is there long before and must be asked.
  const auto limit = std::make_shared<net::RateLimiter>(loop.executor(), 1 << 20);
  auto& honest = add(cluster.node("honest"), limit);
  auto& liar = node("liar");
  auto& leecher = node("leecher");
  honest.seed(blob);
  const auto lies = seed_lies(liar, blob);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  auto spec = leecher.spec(blob, io, {honest.address(), liar.address()});
  std::vector<std::string> reported;
  spec.report = [&](std::string who, std::uint32_t) -> net::Task<void> {
    reported.push_back(std::move(who));
    limit->set_rate(0);  // found: the rest may be quick
    co_return;
  };
  const auto t = leecher.engine->add(std::move(spec)).value();
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
  EXPECT_GT(lies->stats().uploaded, 0U);
  EXPECT_EQ(reported, std::vector<std::string>{liar.node.id.str()});
  EXPECT_EQ(leecher.audit.count("peer.corrupt", "corrupt_piece"), 1U);
  EXPECT_EQ(t->stats().peers, 1U) << "the liar is out, the honest one is not";
}

TEST_F(Trouble, ABannedIdentityStaysOut) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 2));
  auto& liar = node("liar");
  auto& leecher = node("leecher");
  seed_lies(liar, blob);
  const auto t = leecher.engine
                     ->add(leecher.spec(blob, std::make_shared<MemoryPieces>(blob.meta.size),
                                        {liar.address()}))
                     .value();
  loop.run([](TestPeer& p) -> net::Task<void> {
    for (int i = 0; i < 2000 && p.audit.count("peer.corrupt") == 0; ++i) {
      co_await net::sleep_for(5ms);
    }
  }(leecher));
  ASSERT_EQ(leecher.audit.count("peer.corrupt"), 1U);
  // It comes back by itself, with its good certificate and ticket.
  test::RawOptions raw;
  raw.identity = net::TlsIdentity{liar.node.pem.chain_pem, liar.node.pem.key_pem};
  raw.roots_pem = cluster.root.pem();
  raw.sni = bt::short_hex(blob.info_hash);
  raw.bytes =
      test::greeting(blob.info_hash, cluster.ticket(liar.node, blob.meta.digest, blob.info_hash));
  const auto a = loop.run(test::RawPeer::talk(loop.executor(), leecher.engine->local().port, raw));
  EXPECT_TRUE(a.closed);
  EXPECT_EQ(leecher.audit.count("peer.refuse", "peer_banned"), 1U);
  EXPECT_FALSE(t->stats().complete);
}

TEST_F(Trouble, APeerThatDiesInTheMiddleIsReplaced) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(16 << 20, 3));
  auto& a = node("a", 8 << 20);
  auto& b = node("b", 8 << 20);
  auto& c = node("c");
  a.seed(blob);
  b.seed(blob);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto t = c.engine->add(c.spec(blob, io, {a.address(), b.address()})).value();
  wait(300ms);
  a.stop();
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
}

TEST_F(Trouble, ASeederThatRestartsIsFoundAgain) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(8 << 20, 4));
  const auto identity = cluster.origin("registry");
  auto limit = std::make_shared<net::RateLimiter>(loop.executor(), 8 << 20);
  auto first = std::make_unique<TestPeer>(loop, cluster, clock, identity, limit);
  first->seed(blob, true);
  const auto where = first->address(true);
  auto& b = node("b");
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  auto spec = b.spec(blob, io, {where});
  std::vector<swarm::SwarmPeer> known{where};
  spec.renew = [&](bool) -> net::Task<Result<swarm::Grant>> { co_return b.grant(blob, known); };
  const auto t = b.engine->add(std::move(spec)).value();
  wait(200ms);
  EXPECT_FALSE(t->stats().complete);
  first->stop();
  auto& second = add(identity, limit);
  second.seed(blob, true);
  known = {second.address(true)};
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
}

TEST_F(Trouble, TwoThatDialEachOtherKeepOneConnection) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(4 << 20, 5));
  auto& a = node("a", 4 << 20);
  auto& b = node("b", 4 << 20);
  const auto ia = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto ib = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto ta = a.engine->add(a.spec(blob, ia, {b.address()})).value();
  const auto tb = b.engine->add(b.spec(blob, ib, {a.address()})).value();
  auto& o =
      add(cluster.origin("registry"), std::make_shared<net::RateLimiter>(loop.executor(), 8 << 20));
  o.seed(blob, true);
  ta.get();
  const auto again_a = a.engine->add(a.spec(blob, ia, {o.address(true)})).value();
  const auto again_b = b.engine->add(b.spec(blob, ib, {o.address(true)})).value();
  EXPECT_EQ(again_a, ta);
  ASSERT_TRUE(complete(ta));
  ASSERT_TRUE(complete(tb));
  EXPECT_TRUE(ia->bytes == blob.bytes && ib->bytes == blob.bytes);
  wait(50ms);
  EXPECT_EQ(ta->stats().peers, 2U);
  EXPECT_EQ(tb->stats().peers, 2U);
  EXPECT_EQ(again_b, tb);
}

TEST_F(Trouble, AFullDiskEndsTheTorrentAndItsWaits) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(2 << 20, 6));
  auto& a = node("a");
  auto& b = node("b");
  a.seed(blob);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  io->full = true;
  const auto t = b.engine->add(b.spec(blob, io, {a.address()})).value();
  EXPECT_FALSE(loop.run(t->wait_readable(0, 10s)));
  EXPECT_FALSE(t->stats().complete);
}

TEST_F(Trouble, ADiskThatFailsNowAndThenEndsNoTorrent) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 13), 64 << 10);
  auto& a = node("a");
  auto& b = node("b");
  a.seed(blob);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  io->moody = true;
  const auto t = b.engine->add(b.spec(blob, io, {a.address()})).value();
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
}

TEST_F(Trouble, PiecesFromElsewhereAreCheckedLikeAnyOther) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 7));
  auto& o =
      add(cluster.origin("registry"), std::make_shared<net::RateLimiter>(loop.executor(), 1 << 20));
  auto& b = node("b");
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto t = b.engine->add(b.spec(blob, io)).value();
  const ByteView piece = ByteView(blob.bytes).first(blob.meta.piece_length);
  const auto early = loop.run(t->put_piece(0, piece));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code(), "piece_layer_unknown");
  o.seed(blob, true);
  b.engine->add(b.spec(blob, io, {o.address(true)})).value();
  ASSERT_TRUE(loop.run(t->wait_readable(0, 5s)));
  const std::uint32_t last = blob.meta.piece_count() - 1;
  Bytes bytes(blob.bytes.end() - blob.meta.piece_size(last), blob.bytes.end());
  EXPECT_TRUE(loop.run(t->put_piece(last, bytes)).value());
  bytes[0] ^= 1;
  EXPECT_FALSE(loop.run(t->put_piece(last, bytes)).value());
  EXPECT_FALSE(loop.run(t->put_piece(last, piece.first(1))).ok());
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
}

TEST_F(Trouble, TicketsAreRenewedOnLivingConnections) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 8));
  auto& a = node("a");
  auto& b = node("b", 0);
  a.seed(blob);
  auto spec = b.spec(blob, std::make_shared<MemoryPieces>(blob.meta.size), {a.address()});
  int renewals = 0;
  spec.grant.interval = 1s;
  spec.renew = [&](bool) -> net::Task<Result<swarm::Grant>> {
    ++renewals;
    auto g = b.grant(blob);
    g.interval = 1s;
    co_return g;
  };
  const auto t = b.engine->add(std::move(spec)).value();
  ASSERT_TRUE(complete(t));
  loop.run([](int& n) -> net::Task<void> {
    for (int i = 0; i < 500 && n < 1; ++i) co_await net::sleep_for(5ms);
  }(renewals));
  wait(20ms);
  EXPECT_GE(renewals, 1);
  EXPECT_EQ(t->stats().peers, 1U);
  EXPECT_EQ(a.audit.count("peer.refuse"), 0U);
}

TEST_F(Trouble, NoTicketIsAskedForWhileTheOneAtHandWillDo) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 8));
  auto& a = node("a");
  auto& b = node("b", 0);
  a.seed(blob);
  auto spec = b.spec(blob, std::make_shared<MemoryPieces>(blob.meta.size));
  spec.grant.interval = 1s;
  spec.grant.expires_in = 4s;
  std::vector<bool> asked;
  spec.renew = [&](bool ticket) -> net::Task<Result<swarm::Grant>> {
    asked.push_back(ticket);
    auto grant = b.grant(blob, {a.address()});
    if (!ticket) grant.ticket.clear();
    grant.interval = 1s;
    co_return grant;
  };
  const auto t = b.engine->add(std::move(spec)).value();
  ASSERT_TRUE(complete(t)) << "peers come without a ticket as well";
  loop.run([](std::vector<bool>& got) -> net::Task<void> {
    for (int i = 0; i < 1000 && got.size() < 4; ++i) co_await net::sleep_for(5ms);
  }(asked));
  ASSERT_GE(asked.size(), 4U);
  EXPECT_FALSE(asked[0]) << "three of four seconds are left";
  EXPECT_EQ(std::count(asked.begin(), asked.begin() + 3, true), 1);
  EXPECT_FALSE(asked[3]) << "the new one is good for ten minutes";
}

TEST_F(Trouble, AFreshGrantIsNotAskedForAgainThoughPeersAreFew) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 8));
  auto& b = node("b", 0);
  auto spec = b.spec(blob, std::make_shared<MemoryPieces>(blob.meta.size), {});
  int renewals = 0;
  spec.grant.interval = 3s;
  spec.renew = [&](bool) -> net::Task<Result<swarm::Grant>> {
    ++renewals;
    co_return b.grant(blob);
  };
  const auto t = b.engine->add(std::move(spec)).value();
  wait(300ms);
  EXPECT_EQ(renewals, 0);
  wait(3s);
  EXPECT_EQ(renewals, 1);
}

TEST_F(Trouble, ANewCertificateOfTheSameNodeIsTakenAnothersIsNot) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 9));
  auto& a = node("a");
  auto& b = node("b");
  a.seed(blob);
  const auto foreign = cluster.node("c");
  EXPECT_FALSE(b.engine->replace_identity({foreign.pem.chain_pem, foreign.pem.key_pem}).ok());
  auto spec = b.spec(blob, std::make_shared<MemoryPieces>(blob.meta.size));
  std::vector<swarm::SwarmPeer> known;
  spec.renew = [&](bool) -> net::Task<Result<swarm::Grant>> { co_return b.grant(blob, known); };
  const auto t = b.engine->add(std::move(spec)).value();
  b.node = cluster.node("b");
  ASSERT_TRUE(b.engine->replace_identity({b.node.pem.chain_pem, b.node.pem.key_pem}).ok());
  known = {a.address()};
  ASSERT_TRUE(complete(t));
  EXPECT_EQ(a.audit.count("peer.refuse"), 0U);
}

TEST_F(Trouble, ASeedWithoutLeavesComputesThem) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(3 << 20, 10));
  auto& a = node("a");
  auto& b = node("b");
  auto s = a.spec(blob, std::make_shared<MemoryPieces>(blob.bytes));
  s.have.assign(blob.meta.piece_count(), true);
  a.engine->add(std::move(s)).value();
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto t = b.engine->add(b.spec(blob, io, {a.address()})).value();
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
}

TEST_F(Trouble, AnUnknownTorrentIsAskedForAndServed) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 11));
  auto& o = add(cluster.origin("registry"));
  auto& b = node("b");
  o.engine->on_unknown([&](std::string_view hex) {
    if (hex != bt::short_hex(blob.info_hash)) return false;
    auto s = o.spec(blob, std::make_shared<MemoryPieces>(blob.bytes));
    s.leaves = blob.leaves;
    s.origin = true;
    s.grant = {};
    s.renew = [&](bool) -> net::Task<Result<swarm::Grant>> { co_return o.grant(blob); };
    return o.engine->add(std::move(s)).ok();
  });
  const auto t =
      b.engine->add(b.spec(blob, std::make_shared<MemoryPieces>(blob.meta.size), {o.address(true)}))
          .value();
  EXPECT_TRUE(complete(t));
}

TEST_F(Trouble, MemoryDoesNotGrowWithTheBlob) {
  const auto resident = [] {
    std::ifstream in("/proc/self/statm");
    std::size_t pages = 0, rss = 0;
    in >> pages >> rss;
    return rss * 4096;
  };
  const auto blob = TestBlob::make(cluster, test::random_bytes(96 << 20, 12));
  auto& a = node("a");
  auto& b = node("b");
  a.seed(blob);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  std::fill(io->bytes.begin(), io->bytes.end(), std::uint8_t{1});
  const std::size_t before = resident();
  const auto t = b.engine->add(b.spec(blob, io, {a.address()})).value();
  ASSERT_TRUE(complete(t, 60s));
  if (!test::kResidentSaysNothing) {
    EXPECT_LE(resident() - before, 48U << 20);
  }
}

}  // namespace
}  // namespace convoy
