// swarm-pair [MiB] [leechers]: one seeder process and leecher processes on loopback, with their
// tickets and TLS; prints what each side cost. Not a test: run it from a release build.
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/swarm_world.hpp"

namespace convoy {
namespace {

class FilePieces final : public swarm::PieceIo {
 public:
  explicit FilePieces(const std::string& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT, 0600)) {}
  ~FilePieces() override { ::close(fd_); }
  Status read(std::uint64_t offset, MutableByteView out) override {
    if (::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(out.size())) {
      return unavailable("file");
    }
    return {};
  }
  Status write(std::uint64_t offset, ByteView in) override {
    if (::pwrite(fd_, in.data(), in.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(in.size())) {
      return unavailable("file");
    }
    return {};
  }
  Status piece_done(std::uint32_t) override { return {}; }

 private:
  int fd_;
};

void cost(const char* who, double bytes, double seconds) {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto s = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  std::printf("%-8s %.0f MB/s  cpu %.2f s/GB (user %.2f sys %.2f)  rss %ld MiB\n", who,
              bytes / seconds / 1e6, (s(u.ru_utime) + s(u.ru_stime)) / (bytes / 1e9),
              s(u.ru_utime) / (bytes / 1e9), s(u.ru_stime) / (bytes / 1e9), u.ru_maxrss / 1024);
  std::fflush(stdout);
}

/// Made once, in a child of its own, so that no process has held the blob in memory.
void make_blob(const std::string& path, std::uint64_t size) {
  if (::fork() == 0) {
    FilePieces file(path);
    SeededRandom random(1);
    Bytes part(1 << 20);
    for (std::uint64_t at = 0; at < size; at += part.size()) {
      random.fill(part);
      static_cast<void>(file.write(at, part));
    }
    ::_exit(0);
  }
  ::wait(nullptr);
}

std::vector<Hash256> leaves_of(const std::string& path, std::uint64_t size) {
  FilePieces file(path);
  crypto::MerkleLeaves tree;
  Bytes part(1 << 20);
  for (std::uint64_t at = 0; at < size; at += part.size()) {
    if (file.read(at, part)) tree.update(part);
  }
  return tree.finish();
}

void run_seeder(const test::TestCluster& cluster_const, const test::TestBlob& blob,
                const std::string& path, const test::TestNode& node, int port_out, int done_in) {
  auto& cluster = const_cast<test::TestCluster&>(cluster_const);
  SystemClock clock;
  test::Loop loop;
  test::TestPeer peer(loop, cluster, clock, node);
  auto s = peer.spec(blob, nullptr);
  s.io = std::make_shared<FilePieces>(path);
  s.leaves = blob.leaves;
  s.origin = node.id.kind == security::NodeKind::origin;
  const auto t = peer.engine->add(std::move(s)).value();
  const std::uint16_t port = peer.engine->local().port;
  static_cast<void>(!::write(port_out, &port, sizeof port));
  ::fcntl(done_in, F_SETFL, O_NONBLOCK);
  char c = 0;
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  loop.run(
      [](int fd, char& out) -> net::Task<void> {
        while (::read(fd, &out, 1) != 1) co_await net::sleep_for(std::chrono::milliseconds(20));
      }(done_in, c),
      std::chrono::seconds(600));
  cost("seeder", static_cast<double>(t->stats().uploaded), 1);
}

void run_leecher(const test::TestCluster& cluster_const, const test::TestBlob& blob,
                 const std::string& path, const test::TestNode& node, std::uint16_t port,
                 bool origin) {
  auto& cluster = const_cast<test::TestCluster&>(cluster_const);
  SystemClock clock;
  test::Loop loop;
  test::TestPeer peer(loop, cluster, clock, node);
  auto s = peer.spec(blob, nullptr, {{{"127.0.0.1", port}, origin}});
  s.io = std::make_shared<FilePieces>(path);
  const auto begin = std::chrono::steady_clock::now();
  const auto t = peer.engine->add(std::move(s)).value();
  t->add_reader(0);
  const bool first = loop.run(t->wait_readable(0, std::chrono::seconds(60)));
  const auto got = std::chrono::steady_clock::now();
  const bool ok =
      loop.run(test::wait_complete(t, std::chrono::seconds(600)), std::chrono::seconds(600));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("leecher  %s, first piece %s after %.1f ms, redundant %llu\n",
              ok ? "complete" : "INCOMPLETE", first ? "readable" : "missing",
              std::chrono::duration<double, std::milli>(got - begin).count(),
              static_cast<unsigned long long>(t->stats().redundant));
  cost("leecher", static_cast<double>(blob.meta.size), took.count());
}

int run(std::uint64_t size, bool origin) {
  const char* dir = std::getenv("TMPDIR");
  const std::string base = std::string(dir == nullptr ? "/tmp" : dir) + "/swarm-pair";
  make_blob(base + ".seed", size);
  SystemClock clock;
  test::TestCluster cluster(clock);
  auto leaves = leaves_of(base + ".seed", size);
  bt::BlobMeta meta{oci::Digest::sha256({}), size, bt::choose_piece_length(size),
                    bt::root_of_leaves(leaves, crypto::sha256_pair)};
  const auto hash = crypto::sha256(bt::encode_info(meta, cluster.root.pem()));
  const test::TestBlob blob{{}, std::move(leaves), std::move(meta), hash};
  const auto a = cluster.node("a", origin ? security::NodeKind::origin : security::NodeKind::node);
  const auto b = cluster.node("b");
  int ports[2], done[2];
  if (::pipe(ports) != 0 || ::pipe(done) != 0) return 1;
  if (::fork() == 0) {
    run_seeder(cluster, blob, base + ".seed", a, ports[1], done[0]);
    ::_exit(0);
  }
  std::uint16_t port = 0;
  if (::read(ports[0], &port, sizeof port) != sizeof port) return 1;
  if (::fork() == 0) {
    run_leecher(cluster, blob, base + ".leech", b, port, origin);
    if (::write(done[1], "x", 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  ::wait(nullptr);
  ::wait(nullptr);
  ::unlink((base + ".seed").c_str());
  ::unlink((base + ".leech").c_str());
  return 0;
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  const std::uint64_t mib = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1024;
  return convoy::run(mib << 20, argc > 2 && std::string(argv[2]) == "origin");
}
