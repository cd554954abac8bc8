#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include "security/identity/spiffe.hpp"
#include "support/registry_world.hpp"
#include "wire/bt/merkle.hpp"
#include "wire/json.hpp"

// docs/protocols/registry-internal.md: what the registry gives to trackers.
namespace convoy::registry {
namespace {

using test::Answer;
using test::sample_text;

net::TlsIdentity identity_of(const security::PemIdentity& pem) {
  return {pem.chain_pem, pem.key_pem};
}

class InternalTest : public ::testing::Test {
 protected:
  InternalTest()
      : world_(
            [this](RegistryOptions& o) {
              for (auto* cluster : {&c1_, &c2_}) {
                ClusterOptions options;
                options.name = cluster->authority.cluster();
                options.trust_domain = "example.org";
                options.roots_pem = cluster->pki.root.chain_pem;
                options.registry_host = "registry.test";
                o.clusters.push_back(std::move(options));
              }
            },
            true) {}

  Answer ask(const std::optional<net::TlsIdentity>& who, const std::string& repository,
             const std::string& digest, const std::string& method = "GET") {
    auto client = world_.make_client(who);
    return world_.send_with(client, {.method = method,
                                     .target = "/convoy/v1/metadata/" + repository + "/" + digest,
                                     .body = {},
                                     .headers = {},
                                     .token = {}});
  }
  Result<security::MetadataStatement> statement(const Answer& answer, const std::string& digest) {
    auto object = wire::parse_json_object(answer.body);
    const auto text = object ? wire::json_string(*object, "metadata").value_or("") : "";
    return world_.keys.metadata_verifier().verify(text, oci::Digest::parse(digest).value());
  }

  SystemClock clock_;
  test::TestCluster c1_{clock_, "c1"};
  test::TestCluster c2_{clock_, "c2"};
  test::RegistryWorld world_;
};

TEST_F(InternalTest, TrackerGetsASignedStatement) {
  const auto bytes = sample_text(200'000);
  const auto digest = world_.push_blob("team/app", bytes);
  const auto answer = ask(identity_of(c1_.pki.tracker), "team/app", digest);
  ASSERT_EQ(answer.status, 200) << answer.body;
  auto got = statement(answer, digest);
  ASSERT_TRUE(got.ok()) << got.error().text();
  EXPECT_EQ(got->meta.size, 200'000u);
  EXPECT_EQ(got->meta.piece_length, bt::choose_piece_length(200'000));
  crypto::MerkleLeaves leaves;
  leaves.update(as_bytes(bytes));
  EXPECT_EQ(got->meta.pieces_root, bt::root_of_leaves(leaves.finish(), crypto::sha256_pair));
  EXPECT_EQ(ask(identity_of(c1_.pki.tracker), "team/app", digest).body, answer.body);
  EXPECT_EQ(ask(identity_of(c2_.pki.tracker), "team/app", digest).status, 200);
  EXPECT_EQ(world_.audit.count("metadata.grant"), 3u);
}

TEST_F(InternalTest, RepositoryThatDoesNotHoldTheBlob) {
  const auto digest = world_.push_blob("team/secret", "secret");
  const auto answer = ask(identity_of(c1_.pki.tracker), "team/app", digest);
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("BLOB_UNKNOWN"), std::string::npos);
  EXPECT_EQ(world_.audit.count("metadata.refuse", "blob_unknown"), 1u);
  const auto empty = world_.push_blob("team/app", "");
  EXPECT_EQ(ask(identity_of(c1_.pki.tracker), "team/app", empty).status, 404);
  EXPECT_EQ(ask(identity_of(c1_.pki.tracker), "team/app", "sha256:zz").status, 400);
}

TEST_F(InternalTest, AnyoneElseSeesNoSuchRoute) {
  const auto digest = world_.push_blob("team/app", "bytes");
  const auto nowhere = world_.get("/convoy/v1/nowhere/at/all", "");
  const auto expect_hidden = [&](const Answer& answer) {
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, nowhere.body);
  };
  expect_hidden(ask(std::nullopt, "team/app", digest));
  expect_hidden(ask(identity_of(c1_.node("node-1").pem), "team/app", digest));
  expect_hidden(ask(identity_of(c1_.origin().pem), "team/app", digest));
  expect_hidden(ask(std::nullopt, "team/app", digest, "POST"));
  // A user's token opens nothing here.
  expect_hidden(world_.get("/convoy/v1/metadata/team/app/" + digest, world_.all("team/app")));
  EXPECT_EQ(world_.audit.count("metadata.refuse", "tracker_unknown"), 2u);
  EXPECT_EQ(world_.audit.count("metadata.refuse", "certificate_missing"), 2u);
}

TEST_F(InternalTest, TrackerOfAClusterNobodyConfigured) {
  const auto digest = world_.push_blob("team/app", "bytes");
  test::TestCluster c3(clock_, "c3");
  EXPECT_EQ(ask(identity_of(c3.pki.tracker), "team/app", digest).status, 0);
  // The names of a configured cluster under a foreign root.
  test::TestCluster forged(clock_, "c1");
  EXPECT_EQ(ask(identity_of(forged.pki.tracker), "team/app", digest).status, 0);
}

TEST_F(InternalTest, OneClustersCaDoesNotSpeakForAnother) {
  // c2's CA signs a tracker certificate that names c1.
  SystemRandom random;
  const auto key = crypto::PrivateKey::generate();
  const auto issuing = security::load_signer(c2_.pki.issuing).value();
  const auto now = clock_.wall();
  const auto leaf = crypto::issue({.common_name = "t",
                                   .dns_names = {},
                                   .ips = {},
                                   .uris = {"spiffe://example.org/cluster/c1/tracker/t"},
                                   .use = crypto::CertUse::node,
                                   .path_length = 0,
                                   .not_before = now - std::chrono::seconds(60),
                                   .not_after = now + std::chrono::hours(1)},
                                  key.public_key(), issuing.chain.front(), issuing.key, random);
  const auto digest = world_.push_blob("team/app", "bytes");
  const auto answer =
      ask(net::TlsIdentity{crypto::chain_pem({leaf, issuing.chain.front()}), key.to_pem()},
          "team/app", digest);
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(world_.audit.count("metadata.grant"), 0u);
}

TEST_F(InternalTest, TlsAnswersCarryHsts) {
  EXPECT_FALSE(world_.get("/v2/", "").header("Strict-Transport-Security").empty());
  EXPECT_NE(world_.get("/v2/", "").header("WWW-Authenticate").find("https://127.0.0.1"),
            std::string::npos);
}

}  // namespace
}  // namespace convoy::registry
