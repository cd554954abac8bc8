#include <atomic>
#include <gtest/gtest.h>

#include "support/swarm_raw_peer.hpp"

// Peers that ask, and go, while the disk is slow.
namespace convoy {
namespace {

using namespace std::chrono_literals;
using test::TestBlob;
using test::TestPeer;

/// A blob whose blocks are read only once they are let go; pieces at once.
class HeldPieces final : public swarm::PieceIo {
 public:
  explicit HeldPieces(Bytes content) : bytes_(std::move(content)) {}
  Status read(std::uint64_t offset, MutableByteView out) override {
    const bool block = out.size() == bt::kBlockSize;
    if (block) {
      ++blocks;
      held_.wait(true);
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    if (!block) ++pieces;
    return {};
  }
  bool read_now(std::uint64_t, MutableByteView) override {
    ++chunks;
    return false;
  }
  Status write(std::uint64_t, ByteView) override { return internal_error("blob_write"); }
  Status piece_done(std::uint32_t) override { return {}; }
  void let_go() {
    held_ = false;
    held_.notify_all();
  }

  std::atomic<std::size_t> blocks{0}, pieces{0}, chunks{0};

 private:
  Bytes bytes_;
  std::atomic<bool> held_{true};
};

class SlowDisk : public testing::Test {
 protected:
  static constexpr std::uint32_t kPiece = 32 << 10;

  SlowDisk() {
    auto s = seeder.spec(blob, nullptr);
    s.io = io;
    s.leaves = blob.leaves;
    seeder.engine->add(std::move(s)).value();
  }
  ~SlowDisk() override { io->let_go(); }

  /// A peer that says this, and then what is no message.
  test::RawOptions raw(const std::vector<bt::Message>& first, std::vector<bt::Message> then = {}) {
    test::RawOptions o;
    o.identity = net::TlsIdentity{rude.pem.chain_pem, rude.pem.key_pem};
    o.roots_pem = cluster.root.pem();
    o.sni = bt::short_hex(blob.info_hash);
    o.bytes =
        test::greeting(blob.info_hash, cluster.ticket(rude, blob.meta.digest, blob.info_hash));
    const Bytes more = test::encoded(first);
    o.bytes.insert(o.bytes.end(), more.begin(), more.end());
    o.later = test::encoded(then);
    o.later.insert(o.later.end(), 4, 0xff);
    return o;
  }
  void talk(test::RawOptions o) {
    const auto a =
        loop.run(test::RawPeer::talk(loop.executor(), seeder.engine->local().port, std::move(o)));
    EXPECT_TRUE(a.closed);
  }
  bool others_are_served() {
    const auto pieces = std::make_shared<test::MemoryPieces>(blob.meta.size);
    const auto t = leecher.engine->add(leecher.spec(blob, pieces, {seeder.address()})).value();
    return loop.run(test::wait_complete(t, 20s));
  }

  SystemClock clock;
  test::TestCluster cluster{clock};
  test::Loop loop;
  TestBlob blob = TestBlob::make(cluster, test::random_bytes(160 * kPiece, 1), kPiece);
  std::shared_ptr<HeldPieces> io = std::make_shared<HeldPieces>(blob.bytes);
  test::TestNode rude = cluster.node("rude");
  TestPeer seeder{loop, cluster, clock, cluster.node("seeder")};
  TestPeer leecher{loop, cluster, clock, cluster.node("leecher")};
};

TEST_F(SlowDisk, APeerThatGoesBeforeItsHashesLeaveHoldsUpNobody) {
  const auto leaves_of = [&](std::uint32_t piece) {
    return bt::HashRequest{{blob.meta.pieces_root, 0, piece * 2, 2, 0}};
  };
  auto o = raw({bt::HaveNone{}, bt::Interested{}, bt::RequestBlock{{0, 0, bt::kBlockSize}}},
               {leaves_of(1), leaves_of(2)});
  o.later_when = [&] { return io->blocks > 0; };
  talk(std::move(o));
  loop.run([](HeldPieces& p) -> net::Task<void> {
    while (p.pieces < 2) co_await net::sleep_for(1ms);
    co_await net::sleep_for(50ms);
  }(*io));
  io->let_go();
  EXPECT_TRUE(others_are_served());
}

TEST_F(SlowDisk, WhatIsTakenBackIsReadAheadWithinABound) {
  std::vector<bt::Message> all{bt::HaveNone{}, bt::Interested{}};
  for (std::uint32_t piece = 0; piece < blob.meta.piece_count(); ++piece) {
    all.emplace_back(bt::RequestBlock{{piece, 0, bt::kBlockSize}});
    all.emplace_back(bt::CancelBlock{{piece, 0, bt::kBlockSize}});
  }
  talk(raw({}, all));
  EXPECT_GT(io->chunks, 0U);
  EXPECT_LE(io->chunks, 32U);
  io->let_go();
  EXPECT_TRUE(others_are_served());
}

}  // namespace
}  // namespace convoy
