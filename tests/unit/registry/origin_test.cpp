#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>

#include "clients/tracker/memory_tracker_client.hpp"
#include "crypto/hash.hpp"
#include "net/tcp.hpp"
#include "registry/origin/origin_seeder.hpp"
#include "security/identity/spiffe.hpp"
#include "support/net_loop.hpp"
#include "support/pki.hpp"
#include "support/storage_dir.hpp"
#include "support/text_log.hpp"

namespace convoy::registry {
namespace {

class OriginTest : public ::testing::Test {
 protected:
  OriginTest() : meta_(storage::open_registry_meta(":memory:").value()) {
    cluster_.name = "c1";
    cluster_.trust_domain = "example.org";
    cluster_.registry_host = "registry.test";
    cluster_.join_token = Secret("cvj_token");
    cluster_.peers = {"127.0.0.1", 0};
  }
  ~OriginTest() override { stop(); }

  Result<OriginIdentity> identity() {
    return OriginIdentity::open([path = state_] { return storage::open_root(path); },
                                {"c1", "example.org", {pki_.root}});
  }

  /// A tracker that enrols whoever asks, as `kind`.
  std::unique_ptr<clients::MemoryTrackerClient> tracker(
      security::NodeKind kind = security::NodeKind::origin,
      std::chrono::seconds lifetime = std::chrono::hours(1)) {
    auto out = std::make_unique<clients::MemoryTrackerClient>();
    const auto enrolment = [this, kind, lifetime](
                               const std::string& name,
                               const std::string& csr) -> Result<clients::Enrolment> {
      auto key = crypto::csr_public_key(csr);
      if (!key) return std::move(key).error();
      const security::SpiffeId id{"example.org", "c1", kind, name};
      auto issued = pki_.authority.issue_node(id, *key, lifetime);
      if (!issued) return std::move(issued).error();
      return clients::Enrolment{
          id.str(), issued->chain_pem, pki_.pki.root.chain_pem, "c1", "example.org", {}, {}};
    };
    out->on_enrol = [enrolment](const clients::EnrolRequest& r) {
      return enrolment(r.name, r.csr_pem);
    };
    out->on_renew = [enrolment](const std::string& csr) { return enrolment("origin", csr); };
    out->on_origin = [](const clients::OriginRegistration&) { return std::chrono::seconds(30); };
    return out;
  }

  void start(std::unique_ptr<clients::MemoryTrackerClient> tracker) {
    tracker_ = tracker.get();
    OriginSeeder::Needs needs{loop_.executor(), pool_,    *blobs_,
                              *meta_,           clock_,   random_,
                              audit_,           metrics_, Logger(log_, clock_, "origin")};
    seeder_ = std::make_unique<OriginSeeder>(std::move(needs), cluster_, identity().value(),
                                             std::move(tracker), nullptr, nullptr,
                                             std::vector<crypto::Certificate>{pki_.root}, limits_);
    seeder_->start();
  }
  void stop() {
    if (!seeder_) return;
    loop_.run(seeder_->stop());
    seeder_.reset();
  }
  template <class F>
  bool eventually(F f) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!f() && std::chrono::steady_clock::now() < until) loop_.run(nap());
    return f();
  }
  static net::Task<void> nap() { co_await net::sleep_for(std::chrono::milliseconds(5)); }

  bt::BlobMeta put_blob(std::size_t size) {
    Bytes bytes(size, 5);
    crypto::MerkleLeaves leaves;
    leaves.update(bytes);
    storage::BlobFacts facts{oci::Digest::sha256(crypto::sha256(bytes)), size, leaves.finish()};
    auto upload = blobs_->create_upload(random_.hex(16)).value();
    EXPECT_TRUE(upload->append(bytes).ok());
    EXPECT_TRUE(upload->commit(facts).ok());
    return {.digest = facts.digest,
            .size = size,
            .piece_length = bt::choose_piece_length(size),
            .pieces_root = {}};
  }

  /// What the database remembers, by size.
  std::set<std::uint64_t> remembered() {
    std::set<std::uint64_t> sizes;
    const auto all = meta_->torrents("c1", 10).value();
    for (const auto& torrent : all) sizes.insert(torrent.meta.size);
    return sizes;
  }
  /// By the size of its blob.
  std::string short_hex(std::uint64_t size) {
    const auto all = meta_->torrents("c1", 10).value();
    for (const auto& torrent : all) {
      if (torrent.meta.size == size) return torrent.short_hex;
    }
    return {};
  }
  /// Connects to the seeder as a node does that wants this torrent.
  Result<net::StreamPtr> dial(const std::string& sni) {
    const auto node = pki_.node("node-1");
    net::TlsClientOptions tls;
    tls.identity = {node.pem.chain_pem, node.pem.key_pem};
    tls.roots_pem = pki_.pki.root.chain_pem;
    tls.verify_name = false;
    return loop_.run(connect(loop_.executor(), *seeder_->endpoint(),
                             *net::TlsClientContext::make(std::move(tls)), sni));
  }
  static net::Task<Result<net::StreamPtr>> connect(net::Executor executor, net::Endpoint to,
                                                   std::shared_ptr<net::TlsClientContext> tls,
                                                   std::string sni) {
    constexpr Duration kPatience = std::chrono::seconds(10);
    auto plain = co_await net::tcp_connect(executor, to.ip, to.port, kPatience);
    if (!plain) co_return std::move(plain).error();
    co_return co_await net::tls_connect(*std::move(plain), std::move(tls), std::move(sni),
                                        kPatience);
  }

  /// The leaf that peers of this torrent are shown, PEM.
  std::string shown(const std::string& sni) {
    auto stream = dial(sni);
    if (!stream) return {};
    return crypto::Certificate::from_der((*stream)->tls()->peer_chain.front()).value().pem();
  }
  /// A file stands where the state directory was.
  void lose_state() {
    std::filesystem::rename(state_, state_ + ".lost");
    std::error_code still_written_to;
    std::filesystem::remove_all(state_ + ".lost", still_written_to);
    std::ofstream{state_};
  }
  std::string saved_chain() const {
    std::ifstream in(state_ + "/chain.pem");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  SystemClock clock_;
  SystemRandom random_;
  std::shared_ptr<test::TextLog> log_ = std::make_shared<test::TextLog>();
  test::TempDir dir_;
  const std::string state_ = dir_ / "origin";
  test::TestCluster pki_{clock_};
  test::Loop loop_;
  net::WorkerPool pool_{2};
  security::MemoryAuditLog audit_;
  net::Metrics metrics_;
  std::unique_ptr<storage::BlobStore> blobs_ = storage::make_memory_blob_store();
  std::unique_ptr<storage::RegistryMeta> meta_;
  ClusterOptions cluster_;
  OriginLimits limits_;
  clients::MemoryTrackerClient* tracker_ = nullptr;
  std::unique_ptr<OriginSeeder> seeder_;
};

TEST_F(OriginTest, EnrolsListensAndTellsTheTracker) {
  start(tracker());
  ASSERT_TRUE(eventually([&] { return !tracker_->origins.empty(); }));
  EXPECT_EQ(tracker_->enrolled, std::vector<std::string>{"origin"});
  ASSERT_TRUE(seeder_->endpoint());
  EXPECT_EQ(tracker_->origins[0].port, seeder_->endpoint()->port);
  EXPECT_EQ(tracker_->origins[0].registry, "registry.test");
}

TEST_F(OriginTest, ARestartNeedsNoTokenAndKeepsTheKey) {
  start(tracker());
  ASSERT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
  const auto key = identity().value().key().public_key().spki();
  stop();
  cluster_.join_token = Secret();
  start(tracker());
  ASSERT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
  EXPECT_TRUE(tracker_->enrolled.empty());
  EXPECT_EQ(identity().value().key().public_key().spki(), key);
  struct stat st{};
  ASSERT_EQ(::stat((state_ + "/key.pem").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777u, 0600u);
}

TEST_F(OriginTest, EnrolmentThatIsNotOursIsNotBelieved) {
  auto mine = identity();
  ASSERT_TRUE(mine.ok());
  const auto enrol = [&](const security::SpiffeId& id, const crypto::PublicKey& key,
                         const std::string& root) {
    auto issued = pki_.authority.issue_node(id, key, std::chrono::hours(1)).value();
    return mine->accept({id.str(), issued.chain_pem, root, "c1", "example.org", {}, {}},
                        clock_.wall());
  };
  const security::SpiffeId origin{"example.org", "c1", security::NodeKind::origin, "origin"};
  const security::SpiffeId node{"example.org", "c1", security::NodeKind::node, "origin"};
  test::TestCluster other(clock_);
  const auto stranger = crypto::PrivateKey::generate().public_key();
  const auto own = mine->key().public_key();
  EXPECT_FALSE(enrol(node, own, pki_.pki.root.chain_pem).ok());
  EXPECT_FALSE(enrol(origin, stranger, pki_.pki.root.chain_pem).ok());
  EXPECT_FALSE(enrol(origin, own, other.pki.root.chain_pem).ok());
  EXPECT_FALSE(mine->valid(clock_.wall()));
  auto foreign = other.authority.issue_node(origin, own, std::chrono::hours(1)).value();
  EXPECT_FALSE(
      mine->accept({"", foreign.chain_pem, pki_.pki.root.chain_pem, "c1", "example.org", {}, {}},
                   clock_.wall())
          .ok());
  EXPECT_TRUE(enrol(origin, own, pki_.pki.root.chain_pem).ok());
  EXPECT_TRUE(mine->valid(clock_.wall()));
  EXPECT_FALSE(mine->valid(clock_.wall() + std::chrono::hours(2)));
}

TEST_F(OriginTest, BlobAskedForEarlyIsLoadedOnceTheEngineRuns) {
  const auto meta = put_blob(100'000);
  start(tracker());
  seeder_->load(meta);
  EXPECT_TRUE(eventually([&] { return seeder_->loaded() == 1; }));
  seeder_->load(meta);
  EXPECT_EQ(seeder_->loaded(), 1u);
}

TEST_F(OriginTest, BlobThatIsGoneIsSeededNoMore) {
  const auto meta = put_blob(100'000);
  start(tracker());
  seeder_->load(meta);
  ASSERT_TRUE(eventually([&] { return seeder_->loaded() == 1; }));
  seeder_->drop(oci::Digest::sha256({}));
  EXPECT_EQ(seeder_->loaded(), 1u);
  seeder_->drop(meta.digest);
  EXPECT_EQ(seeder_->loaded(), 0u);
}

TEST_F(OriginTest, LoadedBlobsAreRememberedForTheNextStart) {
  start(tracker());
  ASSERT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
  seeder_->load(put_blob(100'000));
  ASSERT_TRUE(eventually([&] { return seeder_->loaded() == 1; }));
  EXPECT_EQ(meta_->torrents("c1", 10).value().size(), 1u);
}

TEST_F(OriginTest, PastItsLimitANewBlobDisplacesTheOneUsedLongestAgo) {
  limits_ = {.known = 2, .loaded = 1};
  start(tracker());
  const auto seeds = [&](const bt::BlobMeta& meta, const std::set<std::uint64_t>& all) {
    seeder_->load(meta);
    return eventually([&] { return remembered() == all; });
  };
  const auto first = put_blob(100'001);
  const auto second = put_blob(100'002);
  const auto third = put_blob(100'003);
  ASSERT_TRUE(seeds(first, {100'001}));
  ASSERT_TRUE(seeds(second, {100'001, 100'002}));
  ASSERT_TRUE(eventually([&] { return dial(short_hex(100'001)).ok(); }));
  EXPECT_TRUE(dial(short_hex(100'002)).ok()) << "at the limit both are there";
  const std::string displaced = short_hex(100'001);
  ASSERT_TRUE(seeds(third, {100'002, 100'003}));
  EXPECT_TRUE(dial(short_hex(100'003)).ok());
  EXPECT_FALSE(dial(displaced).ok());
  EXPECT_TRUE(seeds(first, {100'001, 100'003})) << "until it is asked for again";
  stop();
  start(tracker());
  ASSERT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
  EXPECT_TRUE(dial(short_hex(100'001)).ok());
  EXPECT_TRUE(dial(short_hex(100'003)).ok());
}

TEST_F(OriginTest, BlobThatIsGoneIsNotRememberedForTheNextStart) {
  start(tracker());
  const auto gone = put_blob(100'001);
  seeder_->load(gone);
  seeder_->load(put_blob(100'002));
  ASSERT_TRUE(eventually([&] { return seeder_->loaded() == 2; }));
  seeder_->drop(gone.digest);
  EXPECT_TRUE(eventually([&] { return remembered() == std::set<std::uint64_t>{100'002}; }));
}

TEST_F(OriginTest, BlobThatComesBackIsRemembered) {
  start(tracker());
  const auto meta = put_blob(100'001);
  for (int i = 0; i < 20; ++i) {
    seeder_->load(meta);
    ASSERT_TRUE(eventually([&] { return seeder_->loaded() == 1; }));
    seeder_->drop(meta.digest);
  }
  seeder_->load(meta);
  ASSERT_TRUE(eventually([&] { return seeder_->loaded() == 1; }));
  for (int i = 0; i < 10; ++i) loop_.run(nap());
  EXPECT_TRUE(eventually([&] { return remembered().size() == 1; }));
}

TEST_F(OriginTest, BlobFoundMissingWhenAPeerAsksIsForgotten) {
  start(tracker());
  const auto gone = put_blob(100'001);
  seeder_->load(gone);
  seeder_->load(put_blob(100'002));
  ASSERT_TRUE(eventually([&] { return seeder_->loaded() == 2; }));
  stop();
  ASSERT_TRUE(blobs_->remove(gone.digest).ok());
  start(tracker());
  ASSERT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
  EXPECT_TRUE(dial(short_hex(100'002)).ok());
  EXPECT_FALSE(dial(short_hex(100'001)).ok());
  EXPECT_TRUE(eventually([&] { return remembered() == std::set<std::uint64_t>{100'002}; }));
}

TEST_F(OriginTest, BlobFoundMissingWhenItIsLoadedIsForgotten) {
  start(tracker());
  ASSERT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
  const auto gone = put_blob(100'001);
  ASSERT_TRUE(blobs_->remove(gone.digest).ok());
  seeder_->load(gone);
  seeder_->load(put_blob(100'002));
  EXPECT_TRUE(eventually([&] { return remembered() == std::set<std::uint64_t>{100'002}; }));
}

TEST_F(OriginTest, CertificateIsRenewedAtHalfItsLife) {
  // Backdated by five minutes, so half of its life is over at once.
  start(tracker(security::NodeKind::origin, std::chrono::seconds(60)));
  int renewals = 0;
  auto renew = tracker_->on_renew;
  tracker_->on_renew = [&](const std::string& csr) {
    ++renewals;
    return renew(csr);
  };
  EXPECT_TRUE(eventually([&] { return renewals > 0; }));
}

TEST_F(OriginTest, RenewedCertificateThatCannotBeSavedIsUsedAndSavedLater) {
  limits_.save_retry = std::chrono::milliseconds(5);
  start(tracker(security::NodeKind::origin, std::chrono::seconds(60)));
  std::string renewed;
  tracker_->on_renew = [&, renew = tracker()->on_renew](const std::string& csr) {
    auto enrolment = renew(csr);
    lose_state();
    renewed = enrolment->chain_pem;
    return enrolment;
  };
  seeder_->load(put_blob(100'000));
  ASSERT_TRUE(eventually([&] { return seeder_->loaded() == 1 && !renewed.empty(); }));
  const std::string leaf = crypto::Certificate::chain_from_pem(renewed)->front().pem();
  EXPECT_TRUE(eventually([&] { return shown(short_hex(100'000)) == leaf; }));
  EXPECT_TRUE(
      eventually([&] { return log_->text().find("cannot be saved") != std::string::npos; }));
  std::filesystem::remove(state_);
  ASSERT_TRUE(eventually([&] { return saved_chain() == renewed; }));
  EXPECT_TRUE(identity()->valid(clock_.wall())) << "its key is there as well";
}

TEST_F(OriginTest, EnrolmentThatCannotBeSavedIsSavedLater) {
  limits_.save_retry = std::chrono::milliseconds(5);
  start(tracker());
  tracker_->on_enrol = [&, enrol = tracker_->on_enrol](const clients::EnrolRequest& request) {
    lose_state();
    return enrol(request);
  };
  ASSERT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
  EXPECT_TRUE(
      eventually([&] { return log_->text().find("cannot be saved") != std::string::npos; }));
  std::filesystem::remove(state_);
  ASSERT_TRUE(eventually([&] { return !saved_chain().empty(); }));
  stop();
  cluster_.join_token = Secret();
  start(tracker());
  EXPECT_TRUE(eventually([&] { return seeder_->endpoint().has_value(); }));
}

TEST_F(OriginTest, CertificateThatTheEngineRefusesIsAskedForAnew) {
  start(tracker(security::NodeKind::origin, std::chrono::seconds(60)));
  int renewals = 0;
  tracker_->on_renew = [&, renew = tracker()->on_renew](const std::string& csr) {
    auto enrolment = renew(csr);
    if (++renewals > 1) return enrolment;
    const security::SpiffeId other{"example.org", "c1", security::NodeKind::origin, "other"};
    const auto key = crypto::csr_public_key(csr).value();
    enrolment->chain_pem =
        pki_.authority.issue_node(other, key, std::chrono::hours(1)).value().chain_pem;
    return enrolment;
  };
  EXPECT_TRUE(eventually([&] { return renewals == 2; }));
}

}  // namespace
}  // namespace convoy::registry
