// bt-peer: Convoy's engine with the gate left open (CONVOY_TEST_OPEN_GATE), so that a foreign
// BitTorrent client, which has no ticket, can exchange with it. Driven by libtorrent_interop.py.
//   bt-peer seed  FILE chain.pem key.pem root.pem PIECE_LENGTH
//   bt-peer leech FILE chain.pem key.pem root.pem PIECE_LENGTH SIZE DIGEST_HEX ROOT_HEX [IP PORT]
// Prints one JSON line when it listens; a seeder runs until its input ends, a leecher until the
// blob is complete.
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "support/swarm_world.hpp"

namespace convoy {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::unique_ptr<swarm::Engine> make_engine(test::Loop& loop, net::WorkerPool& pool,
                                           const std::vector<std::string>& args, const Clock& clock,
                                           Random& random, security::AuditLog& audit,
                                           net::Metrics& metrics) {
  swarm::EngineOptions o;
  o.identity = {slurp(args[1]), Secret(slurp(args[2]))};
  o.roots = crypto::Certificate::chain_from_pem(slurp(args[3])).value();
  o.cluster = "interop";
  o.listen = {"127.0.0.1", 0};
  const Logger log(std::make_shared<FdLogSink>(2), clock, "bt-peer", LogLevel::debug);
  return swarm::Engine::make(loop.executor(), pool, std::move(o), clock, random, audit, metrics,
                             log)
      .value();
}

int run(const std::string& mode, const std::vector<std::string>& args) {
  const SystemClock clock;
  SystemRandom random;
  security::MemoryAuditLog audit;
  net::Metrics metrics;
  test::Loop loop;
  net::WorkerPool pool(2);
  const auto engine = make_engine(loop, pool, args, clock, random, audit, metrics);
  const auto piece_length = static_cast<std::uint32_t>(std::stoul(args[4]));
  const std::string root = slurp(args[3]);
  const bool seed = mode == "seed";

  bt::BlobMeta meta{oci::Digest::sha256({}), 0, piece_length, {}};
  std::vector<Hash256> leaves;
  std::shared_ptr<test::MemoryPieces> io;
  if (seed) {
    const std::string content = slurp(args[0]);
    crypto::MerkleLeaves tree;
    tree.update(as_bytes(content));
    leaves = tree.finish();
    meta.digest = oci::Digest::sha256(crypto::sha256(as_bytes(content)));
    meta.size = content.size();
    meta.pieces_root = bt::root_of_leaves(leaves, crypto::sha256_pair);
    io = std::make_shared<test::MemoryPieces>(to_bytes(as_bytes(content)));
  } else {
    meta.size = std::stoull(args[5]);
    meta.digest = oci::Digest::sha256(hash256_from_hex(args[6]).value());
    meta.pieces_root = hash256_from_hex(args[7]).value();
    io = std::make_shared<test::MemoryPieces>(meta.size);
  }
  swarm::TorrentSpec spec{.meta = meta};
  spec.info_hash = crypto::sha256(bt::encode_info(meta, root));
  spec.io = io;
  spec.leaves = leaves;
  spec.request_id = "interop";
  if (args.size() > 9) {
    spec.grant.peers = {{{args[8], static_cast<std::uint16_t>(std::stoul(args[9]))}, false}};
  }
  const auto torrent = engine->add(std::move(spec)).value();
  std::printf("{\"port\":%u,\"info_hash\":\"%s\",\"root\":\"%s\"}\n", engine->local().port,
              to_hex(crypto::sha256(bt::encode_info(meta, root))).c_str(),
              to_hex(meta.pieces_root).c_str());
  std::fflush(stdout);
  bool ok = true;
  if (seed) {
    ::fcntl(0, F_SETFL, O_NONBLOCK);
    loop.run(
        []() -> net::Task<void> {
          char c = 0;
          while (::read(0, &c, 1) != 0) co_await net::sleep_for(std::chrono::milliseconds(20));
        }(),
        std::chrono::seconds(120));
  } else {
    ok = loop.run(test::wait_complete(torrent, std::chrono::seconds(60)), std::chrono::seconds(90));
    std::ofstream(args[0], std::ios::binary)
        .write(reinterpret_cast<const char*>(io->bytes.data()),
               static_cast<std::streamsize>(io->bytes.size()));
  }
  const auto stats = torrent->stats();
  std::printf("{\"complete\":%s,\"from_peers\":%llu,\"uploaded\":%llu}\n", ok ? "true" : "false",
              static_cast<unsigned long long>(stats.from_peers),
              static_cast<unsigned long long>(stats.uploaded));
  loop.run(engine->stop());
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + std::min(argc, 2), argv + argc);
  if (args.size() < 5) return 2;
  return convoy::run(argv[1], args);
}
