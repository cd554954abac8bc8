#include <gtest/gtest.h>
#include <mutex>

#include "support/swarm_world.hpp"

namespace convoy {
namespace {

using namespace std::chrono_literals;
using test::MemoryPieces;
using test::TestBlob;
using test::TestPeer;

/// Wants the digest of the whole.
class DigestPieces final : public swarm::PieceIo {
 public:
  explicit DigestPieces(std::uint64_t size) : io_(std::make_shared<MemoryPieces>(size)) {}
  Status read(std::uint64_t offset, MutableByteView out) override { return io_->read(offset, out); }
  Status write(std::uint64_t offset, ByteView in) override { return io_->write(offset, in); }
  Status piece_done(std::uint32_t piece) override { return io_->piece_done(piece); }
  std::optional<crypto::Sha256> digest_at(std::uint64_t offset) override {
    const std::lock_guard lock(mutex_);
    if (digest_.size() != offset) return std::nullopt;
    return digest_;
  }
  void digest_done(const crypto::Sha256& digest) override {
    const std::lock_guard lock(mutex_);
    digest_ = digest;
  }
  crypto::Sha256 digest() {
    const std::lock_guard lock(mutex_);
    return digest_;
  }
  MemoryPieces& pieces() { return *io_; }

 private:
  std::shared_ptr<MemoryPieces> io_;
  std::mutex mutex_;
  crypto::Sha256 digest_;
};

class Transfer : public testing::Test {
 protected:
  TestPeer& node(const std::string& name) {
    return *peers.emplace_back(
        std::make_unique<TestPeer>(loop, cluster, clock, cluster.node(name)));
  }
  TestPeer& origin() {
    return *peers.emplace_back(
        std::make_unique<TestPeer>(loop, cluster, clock, cluster.origin("registry")));
  }
  bool complete(std::shared_ptr<swarm::Torrent> t, Duration limit = 30s) {
    return loop.run(test::wait_complete(std::move(t), limit), 120s);
  }
  ~Transfer() override { peers.clear(); }

  SystemClock clock;
  test::TestCluster cluster{clock};
  test::Loop loop;
  std::vector<std::unique_ptr<TestPeer>> peers;
};

TEST_F(Transfer, ANodeGetsABlobFromAnother) {
  const auto blob = TestBlob::make(cluster, test::random_bytes((64 << 20) + 12345, 1));
  auto& a = node("a");
  auto& b = node("b");
  a.seed(blob);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto t = b.engine->add(b.spec(blob, io, {a.address()})).value();
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
  EXPECT_EQ(io->done, blob.meta.piece_count());
  EXPECT_EQ(t->stats().from_peers, blob.meta.size);
  EXPECT_EQ(t->stats().from_origin, 0U);
  EXPECT_EQ(t->stats().redundant, 0U);
  EXPECT_EQ(t->readable_from(5), blob.meta.size - 5);
  EXPECT_EQ(a.audit.count("peer.grant"), 1U);
  EXPECT_EQ(a.audit.count("peer.refuse"), 0U);
}

TEST_F(Transfer, TheDigestGoesAlongWithPiecesThatComeInOrder) {
  const auto blob = TestBlob::make(cluster, test::random_bytes((6 << 20) + 12345, 8));
  auto& a = node("a");
  auto& b = node("b");
  a.seed(blob);
  const auto io = std::make_shared<DigestPieces>(blob.meta.size);
  auto spec = b.spec(blob, nullptr, {a.address()});
  spec.io = io;
  ASSERT_TRUE(complete(b.engine->add(std::move(spec)).value()));
  EXPECT_TRUE(io->pieces().bytes == blob.bytes);
  EXPECT_EQ(io->digest().size(), blob.meta.size);
  EXPECT_EQ(io->digest().finish(), crypto::sha256(blob.bytes));
}

TEST_F(Transfer, WrongBytesDoNotGetIntoTheDigest) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(2 << 20, 9));
  auto& liar = node("liar");
  auto& honest = node("honest");
  auto& b = node("b");
  auto bad = blob.bytes;
  bad[3 * blob.meta.piece_length + 5] ^= 1;
  auto lies = liar.spec(blob, std::make_shared<MemoryPieces>(std::move(bad)));
  lies.leaves = blob.leaves;
  const auto lying = liar.engine->add(std::move(lies)).value();
  const auto io = std::make_shared<DigestPieces>(blob.meta.size);
  auto spec = b.spec(blob, nullptr, {liar.address()});
  spec.io = io;
  const auto t = b.engine->add(std::move(spec)).value();
  EXPECT_FALSE(complete(t, 500ms));
  EXPECT_LE(io->digest().size(), 3 * blob.meta.piece_length);
  honest.seed(blob);
  auto more = b.spec(blob, nullptr, {honest.address()});
  more.io = io;
  static_cast<void>(b.engine->add(std::move(more)).value());
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->pieces().bytes == blob.bytes);
  const auto digest = io->digest();
  EXPECT_EQ(digest.finish(),
            crypto::sha256(ByteView(blob.bytes).first(static_cast<std::size_t>(digest.size()))));
}

TEST_F(Transfer, WhatCouldNotBeStoredDoesNotGetIntoTheDigest) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(1 << 20, 10));
  auto& a = node("a");
  auto& b = node("b");
  a.seed(blob);
  const auto io = std::make_shared<DigestPieces>(blob.meta.size);
  io->pieces().full = true;
  auto spec = b.spec(blob, nullptr, {a.address()});
  spec.io = io;
  EXPECT_FALSE(complete(b.engine->add(std::move(spec)).value(), 300ms));
  EXPECT_EQ(io->digest().size(), 0U);
}

TEST_F(Transfer, OneNodeAloneGetsEverythingThroughOffers) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(9 << 20, 2));
  auto& o = origin();
  auto& b = node("b");
  const auto seed = o.seed(blob, true);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto t = b.engine->add(b.spec(blob, io, {o.address(true)})).value();
  ASSERT_TRUE(complete(t));
  EXPECT_TRUE(io->bytes == blob.bytes);
  EXPECT_EQ(t->stats().from_origin, blob.meta.size);
  EXPECT_EQ(seed->stats().uploaded, blob.meta.size);
}

TEST_F(Transfer, TinyBlobsWork) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{16384}, std::size_t{16385}, std::size_t{100'000}}) {
    const auto blob = TestBlob::make(cluster, test::random_bytes(size, size));
    auto& o = origin();
    auto& b = node("b" + std::to_string(size));
    o.seed(blob, true);
    const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
    const auto t = b.engine->add(b.spec(blob, io, {o.address(true)})).value();
    ASSERT_TRUE(complete(t)) << size;
    EXPECT_TRUE(io->bytes == blob.bytes) << size;
    peers.clear();
  }
}

TEST_F(Transfer, ACrowdTakesAboutOneCopyFromTheOrigin) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(8 << 20, 3));
  auto& o = origin();
  const auto seed = o.seed(blob, true);
  std::vector<std::shared_ptr<swarm::Torrent>> all;
  std::vector<std::shared_ptr<MemoryPieces>> ios;
  std::vector<swarm::SwarmPeer> known{o.address(true)};
  for (int i = 0; i < 5; ++i) {
    auto& n = node("n" + std::to_string(i));
    ios.push_back(std::make_shared<MemoryPieces>(blob.meta.size));
    all.push_back(n.engine->add(n.spec(blob, ios.back(), known)).value());
    known.push_back(n.address());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(complete(all[i])) << i;
    EXPECT_TRUE(ios[i]->bytes == blob.bytes) << i;
  }
  EXPECT_LE(seed->stats().uploaded, blob.meta.size * 105 / 100);
}

TEST_F(Transfer, APeersZoneIsThatOfItsTicket) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(2 << 20, 5));
  auto& a = node("a");
  a.zone = bt::Zone::parse("west").value();
  a.seed(blob);
  for (const std::string zone : {"east", "west", ""}) {
    auto& b = node("b" + zone);
    b.zone = bt::Zone::parse(zone).value();
    const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
    const auto t = b.engine->add(b.spec(blob, io, {a.address()})).value();
    ASSERT_TRUE(complete(t)) << zone;
    EXPECT_EQ(t->stats().over_border, zone == "west" ? 0 : blob.meta.size) << zone;
    EXPECT_TRUE(io->bytes == blob.bytes) << zone;
  }
}

TEST_F(Transfer, AReaderGetsBytesInOrderWhileItRuns) {
  const auto blob = TestBlob::make(cluster, test::random_bytes(4 << 20, 4));
  auto& o = origin();
  auto& b = node("b");
  o.seed(blob, true);
  const auto io = std::make_shared<MemoryPieces>(blob.meta.size);
  const auto t = b.engine->add(b.spec(blob, io, {o.address(true)})).value();
  const auto reader = t->add_reader(0);
  std::uint64_t at = 0;
  while (at < blob.meta.size) {
    ASSERT_TRUE(loop.run(t->wait_readable(at, 5s)));
    const std::uint64_t n = t->readable_from(at);
    ASSERT_TRUE(std::equal(io->bytes.begin() + static_cast<std::ptrdiff_t>(at),
                           io->bytes.begin() + static_cast<std::ptrdiff_t>(at + n),
                           blob.bytes.begin() + static_cast<std::ptrdiff_t>(at)));
    at += n;
    t->move_reader(reader, at);
  }
  t->remove_reader(reader);
  EXPECT_FALSE(loop.run(t->wait_readable(blob.meta.size, 1ms)));
}

}  // namespace
}  // namespace convoy
