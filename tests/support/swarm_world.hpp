#pragma once

#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "net/metrics.hpp"
#include "support/net_loop.hpp"
#include "support/pki.hpp"
#include "swarm/transport/engine.hpp"
#include "wire/bt/merkle.hpp"

// Real engines on loopback with a throw-away cluster.
namespace convoy::test {

/// A blob in memory. Counts what is read and written.
class MemoryPieces final : public swarm::PieceIo {
 public:
  explicit MemoryPieces(Bytes content) : bytes(std::move(content)) {}
  explicit MemoryPieces(std::uint64_t size) : bytes(size) {}
  Status read(std::uint64_t offset, MutableByteView out) override {
    if (offset + out.size() > bytes.size()) return invalid("short");
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  Status write(std::uint64_t offset, ByteView in) override {
    if (full || (moody && ++writes_ % 2 == 1)) return exhausted("disk_full");
    std::copy(in.begin(), in.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }
  Status piece_done(std::uint32_t) override {
    ++done;
    return {};
  }
  Bytes bytes;
  std::atomic<std::uint32_t> done{0};
  std::atomic<bool> full{false};
  std::atomic<bool> moody{false};  ///< every other write fails

 private:
  std::atomic<std::uint32_t> writes_{0};
};

inline Bytes random_bytes(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  SeededRandom random(seed);
  random.fill(out);
  return out;
}

/// A blob and its torrent.
struct TestBlob {
  Bytes bytes;
  std::vector<Hash256> leaves;
  bt::BlobMeta meta;
  bt::InfoHash info_hash{};

  static TestBlob make(const TestCluster& cluster, Bytes content, std::uint32_t piece_length = 0) {
    crypto::MerkleLeaves tree;
    tree.update(content);
    auto leaves = tree.finish();
    const std::uint32_t length =
        piece_length == 0 ? bt::choose_piece_length(content.size()) : piece_length;
    bt::BlobMeta meta{oci::Digest::sha256(crypto::sha256(content)), content.size(), length,
                      bt::root_of_leaves(leaves, crypto::sha256_pair)};
    const auto hash = crypto::sha256(bt::encode_info(meta, cluster.root.pem()));
    return {std::move(content), std::move(leaves), std::move(meta), hash};
  }
};

/// One node: an engine and what it was made with.
class TestPeer {
 public:
  TestPeer(Loop& loop, TestCluster& cluster, const Clock& clock, TestNode identity,
           std::shared_ptr<net::RateLimiter> upload = nullptr,
           Duration gate_time = std::chrono::seconds(5),
           const std::function<void(swarm::EngineOptions&)>& tune = nullptr)
      : loop_(loop), node(std::move(identity)), cluster_(cluster), pool(2) {
    swarm::EngineOptions o;
    o.identity = {node.pem.chain_pem, node.pem.key_pem};
    o.roots = cluster.roots();
    o.cluster = cluster.authority.cluster();
    o.listen = {"127.0.0.1", 0};
    o.gate_time = gate_time;
    o.upload = std::move(upload);
    if (tune) tune(o);
    auto made = swarm::Engine::make(loop.executor(), pool, std::move(o), clock, random, audit,
                                    metrics, log(clock).with({{"node", node.id.name}}));
    if (!made) ADD_FAILURE() << made.error().text();
    engine = *std::move(made);
  }
  ~TestPeer() { stop(); }
  void stop() {
    if (engine) loop_.run(engine->stop());
    engine.reset();
  }

  swarm::SwarmPeer address(bool origin = false) const {
    return {{engine->local().ip, engine->local().port}, origin};
  }
  swarm::Grant grant(const TestBlob& blob, std::vector<swarm::SwarmPeer> peers = {}) {
    return {cluster_.ticket(node, blob.meta.digest, blob.info_hash, {true, true}, zone),
            std::chrono::seconds(600), std::move(peers), std::chrono::seconds(30), zone};
  }
  swarm::TorrentSpec spec(const TestBlob& blob, std::shared_ptr<MemoryPieces> io,
                          std::vector<swarm::SwarmPeer> peers = {}) {
    swarm::TorrentSpec s{.meta = blob.meta};
    s.info_hash = blob.info_hash;
    s.io = std::move(io);
    s.grant = grant(blob, std::move(peers));
    s.request_id = "test-" + node.id.name;
    return s;
  }
  std::shared_ptr<swarm::Torrent> seed(const TestBlob& blob, bool origin = false) {
    auto s = spec(blob, std::make_shared<MemoryPieces>(blob.bytes));
    s.leaves = blob.leaves;
    s.origin = origin;
    return engine->add(std::move(s)).value();
  }

  /// Quiet unless CONVOY_TEST_LOG is set.
  static Logger log(const Clock& clock) {
    if (std::getenv("CONVOY_TEST_LOG") == nullptr) return Logger::none();
    return {std::make_shared<FdLogSink>(2), clock, "test", LogLevel::debug};
  }

  Loop& loop_;
  TestNode node;
  bt::Zone zone{};  ///< named in the tickets that are made from then on
  TestCluster& cluster_;
  net::WorkerPool pool;
  SystemRandom random;
  security::MemoryAuditLog audit;
  net::Metrics metrics;
  std::unique_ptr<swarm::Engine> engine;
};

/// Waits until the whole blob is there.
inline net::Task<bool> wait_complete(std::shared_ptr<swarm::Torrent> t, Duration limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!t->stats().complete) {
    if (std::chrono::steady_clock::now() > until) co_return false;
    co_await net::sleep_for(std::chrono::milliseconds(2));
  }
  co_return true;
}

}  // namespace convoy::test
