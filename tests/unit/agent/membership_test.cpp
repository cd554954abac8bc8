#include "agent/identity/membership.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agent/service.hpp"
#include "support/agent_world.hpp"
#include "support/clients_fake_http.hpp"

namespace convoy {
namespace {

class MembershipTest : public ::testing::Test {
 protected:
  test::AgentWorld world;
};

TEST_F(MembershipTest, KeyStaysPrivateAndARestartNeedsNoToken) {
  world.start();
  EXPECT_EQ(world.tracker->enrolled, std::vector<std::string>{"node-1"});
  struct stat st{};
  ASSERT_EQ(::stat((world.options.data_dir + "/node-key.pem").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(world.options.data_dir.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700U);
  world.options.join_token = Secret();
  world.restart();
  EXPECT_EQ(world.tracker->enrolled.size(), 1U);
  EXPECT_FALSE(world.agent->not_ready().has_value());
  // The first client enrolled without a certificate, all others show the node's.
  ASSERT_EQ(world.shown.size(), 3U);
  EXPECT_TRUE(world.shown[0].empty());
  EXPECT_FALSE(world.shown[1].empty());
  EXPECT_EQ(world.shown[2], world.shown[1]);
}

TEST_F(MembershipTest, TrackerThatComesLaterIsAskedAgain) {
  const auto enrol = world.tracker->on_enrol;
  world.tracker->on_enrol = nullptr;
  world.start(false);
  ASSERT_TRUE(world.until([&] { return world.tracker->enrolled.size() == 1; }));
  ASSERT_TRUE(world.until([&] {
    return world.agent->not_ready().value_or("").find("tracker_unreachable") != std::string::npos;
  }));
  EXPECT_EQ(world.agent->peer_endpoint().port, 0);
  world.tracker->on_enrol = enrol;
  ASSERT_TRUE(world.until([&] { return !world.agent->not_ready(); }));
  EXPECT_EQ(world.agent->peer_endpoint().port, 6881);
}

TEST_F(MembershipTest, WithoutATokenItSaysSo) {
  world.options.join_token = Secret();
  world.start(false);
  ASSERT_TRUE(world.until(
      [&] { return world.agent->not_ready() == "not enrolled, and no join token given"; }));
  EXPECT_TRUE(world.tracker->enrolled.empty());
}

TEST_F(MembershipTest, HalfLifeOverMeansAnotherCertificateForPeersAndTracker) {
  // Backdated by five minutes, so that half of its life is over at once.
  world.node_life = std::chrono::seconds(60);
  int renewals = 0;
  const auto enrol = world.tracker->on_enrol;
  world.tracker->on_renew = [&, enrol](const std::string& csr) {
    world.node_life = security::kDefaultNodeLifetime;
    ++renewals;
    return enrol(clients::EnrolRequest{.token = {}, .name = {}, .csr_pem = csr, .zone = {}});
  };
  world.start();
  ASSERT_TRUE(world.until([&] { return world.engine->identities.size() == 1; }));
  EXPECT_EQ(renewals, 1);
  ASSERT_EQ(world.shown.size(), 3U);
  EXPECT_NE(world.shown[2], world.shown[1]);
  EXPECT_EQ(world.engine->identities[0].chain_pem, world.shown[2]);
}

TEST_F(MembershipTest, CertificateForAnotherKeyIsNotTaken) {
  world.tracker->on_enrol = [&](const clients::EnrolRequest&) -> Result<clients::Enrolment> {
    const auto other = world.cluster.node("node-1");
    return clients::Enrolment{.id = other.id.str(),
                              .chain_pem = other.pem.chain_pem,
                              .root_pem = world.cluster.pki.root.chain_pem,
                              .cluster = "c1",
                              .trust_domain = "example.org",
                              .registries = {}};
  };
  world.start(false);
  ASSERT_TRUE(world.until([&] { return world.tracker->enrolled.size() == 1; }));
  world.pump();
  EXPECT_TRUE(world.agent->not_ready().has_value());
  EXPECT_TRUE(world.engine_options.empty());
}

TEST_F(MembershipTest, PinnedTrackerIsTheOnlyOneThatSeesTheToken) {
  const auto server = test::make_server_identity(world.clock);
  net::TlsServerOptions tls;
  tls.identity = {server.identity.chain_pem, server.identity.key_pem};
  test::FakeHttp tracker(
      world.loop, [](const test::SeenRequest&) { return test::FakeAnswer{503, "{}", {}}; },
      net::TlsServerContext::make(std::move(tls)).value());
  const auto run_with = [&](const std::string& pin) {
    world.stop();
    world.options.tracker_url = "https://" + tracker.authority();
    world.options.tracker_roots_pem = server.roots_pem;
    world.options.tracker_pin = pin;
    world.agent =
        agent::AgentService::make(world.loop.executor(), world.pool, world.options, world.clock,
                                  world.random, world.audit, world.metrics, Logger::none())
            .value();
    ASSERT_TRUE(world.loop.run(world.agent->start()).ok());
    ASSERT_TRUE(world.until([&] {
      return world.agent->not_ready().value_or("").find("enrolment failed") != std::string::npos;
    }));
  };
  run_with(std::string(64, '0'));
  EXPECT_TRUE(tracker.seen.empty());
  const auto chain = crypto::Certificate::chain_from_pem(server.identity.chain_pem).value();
  run_with(to_hex(chain.front().thumbprint()));
  EXPECT_GE(tracker.count("POST", "/v1/enrol"), 1U);
  world.stop();
}

TEST_F(MembershipTest, PeersAreGivenTheClustersRootAlone) {
  world.options.bind_ip = "127.0.0.1";
  world.start();
  ASSERT_EQ(world.engine_options.size(), 1U);
  const auto& options = world.engine_options[0];
  EXPECT_EQ(options.cluster, "c1");
  ASSERT_EQ(options.roots.size(), 1U);
  EXPECT_EQ(options.roots[0].thumbprint(), world.cluster.root.thumbprint());
  EXPECT_EQ(options.bind_ip, "127.0.0.1");
}

/// A data directory that takes no node.json as long as a folder is in its way.
class BlockedDirectory {
 public:
  explicit BlockedDirectory(const std::string& path)
      : store_(std::move(agent::NodeStore::open(path)).value()), block_(path + "/node.json.tmp") {
    std::filesystem::create_directory(block_);
  }
  agent::NodeStore& store() { return store_; }
  void unblock() { std::filesystem::remove(block_); }
  std::string chain() const {
    std::string why;
    const auto identity = store_.load(why);
    return identity ? identity->enrolment.chain_pem : std::string();
  }

 private:
  agent::NodeStore store_;
  std::string block_;
};

TEST_F(MembershipTest, IdentityThatCannotBeSavedIsUsedAndSavedLater) {
  BlockedDirectory directory(world.dir / "blocked");
  std::vector<std::string> used;
  agent::MembershipOptions options{"node-1", {}, Secret("cvj_token")};
  options.save_retry = std::chrono::milliseconds(5);
  agent::Membership membership(
      std::move(options), directory.store(), world.pool, world.clock,
      [&](const std::optional<net::TlsIdentity>&)
          -> Result<std::shared_ptr<clients::TrackerClient>> { return {world.tracker}; },
      [&](const clients::Enrolment& enrolment, const net::TlsIdentity&,
          const std::shared_ptr<clients::TrackerClient>&) { used.push_back(enrolment.chain_pem); },
      Logger(world.log, world.clock, "membership"));
  world.running->spawn([&] { return membership.run(); });
  ASSERT_TRUE(
      world.until([&] { return world.log->text().find("cannot be saved") != std::string::npos; }));
  EXPECT_EQ(membership.not_ready(), std::nullopt);
  ASSERT_EQ(used.size(), 1U);
  EXPECT_EQ(directory.chain(), "");
  directory.unblock();
  EXPECT_TRUE(world.until([&] { return directory.chain() == used[0]; }));
  EXPECT_EQ(world.tracker->enrolled.size(), 1U);
  world.loop.run(world.running->stop());
}

}  // namespace
}  // namespace convoy
