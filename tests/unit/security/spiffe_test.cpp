#include "security/identity/spiffe.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace convoy::security {
namespace {

using namespace std::chrono_literals;

TEST(Spiffe, ParsesAndPrints) {
  const std::string text = "spiffe://example.org/cluster/c1/origin/registry-1.lan";
  const auto id = SpiffeId::parse(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->trust_domain, "example.org");
  EXPECT_EQ(id->cluster, "c1");
  EXPECT_EQ(id->kind, NodeKind::origin);
  EXPECT_EQ(id->name, "registry-1.lan");
  EXPECT_EQ(id->str(), text);
}

TEST(Spiffe, RefusesEverythingElse) {
  for (const std::string text : {"",
                                 "spiffe://",
                                 "spiffe://example.org",
                                 "spiffe://example.org/cluster/c1/node",
                                 "spiffe://example.org/cluster/c1/node/",
                                 "spiffe://example.org/cluster/c1/node/a/",
                                 "spiffe://example.org/cluster/c1/node/a/b",
                                 "spiffe://example.org//cluster/c1/node/a",
                                 "spiffe://example.org/cluster//node/a",
                                 "spiffe:///cluster/c1/node/a",
                                 "SPIFFE://example.org/cluster/c1/node/a",
                                 "https://example.org/cluster/c1/node/a",
                                 "spiffe://Example.org/cluster/c1/node/a",
                                 "spiffe://example.org/cluster/c1/node/A",
                                 "spiffe://example.org/cluster/c1/admin/a",
                                 "spiffe://example.org/clusters/c1/node/a",
                                 "spiffe://example.org:443/cluster/c1/node/a",
                                 "spiffe://u@example.org/cluster/c1/node/a",
                                 "spiffe://example.org/cluster/c1/node/a?x",
                                 "spiffe://example.org/cluster/c1/node/a#x",
                                 "spiffe://example.org/cluster/c1/node/%61",
                                 "spiffe://example.org/cluster/c1/node/..",
                                 "spiffe://example.org/cluster/c1/node/.",
                                 "spiffe://example.org/cluster/c1/node/a..b",
                                 "spiffe://example.org/cluster/c1/node/-a",
                                 "spiffe://example.org/cluster/c1/node/a.",
                                 "spiffe://example.org/cluster/../node/a",
                                 " spiffe://example.org/cluster/c1/node/a",
                                 "spiffe://example.org/cluster/c1/node/a\n",
                                 "spiffe://example.org/cluster/c1/node/a_b"}) {
    const auto id = SpiffeId::parse(text);
    ASSERT_FALSE(id) << text;
    EXPECT_EQ(id.error().code(), "spiffe_id_invalid");
  }
  EXPECT_FALSE(SpiffeId::parse(std::string_view("spiffe://e.org/cluster/c/node/a\0b", 33)));
}

TEST(Spiffe, LengthsEndAtTheirLimits) {
  const auto made = [](std::size_t td, std::size_t cluster, std::size_t name) {
    return SpiffeId::make(std::string(td, 'a'), std::string(cluster, 'b'), NodeKind::node,
                          std::string(name, 'c'));
  };
  const auto longest = made(253, 63, 253);
  ASSERT_TRUE(longest);
  EXPECT_TRUE(SpiffeId::parse(longest->str()));
  EXPECT_FALSE(made(254, 63, 253));
  EXPECT_FALSE(made(253, 64, 253));
  EXPECT_FALSE(made(253, 63, 254));
  EXPECT_FALSE(made(0, 1, 1));
}

crypto::Certificate certificate(std::vector<std::string> uris) {
  SystemRandom random;
  crypto::CertSpec spec;
  spec.common_name = "x";
  spec.uris = std::move(uris);
  spec.not_before = test::ManualClock::kStart;
  spec.not_after = test::ManualClock::kStart + 1h;
  return crypto::self_sign(spec, crypto::PrivateKey::generate(), random);
}

TEST(Spiffe, ACertificateHasExactlyOneUri) {
  const std::string good = "spiffe://example.org/cluster/c1/node/a";
  ASSERT_TRUE(spiffe_of(certificate({good})));
  EXPECT_EQ(spiffe_of(certificate({good}))->str(), good);
  for (const auto& uris : std::vector<std::vector<std::string>>{
           {}, {good, good}, {good, "https://example.org"}, {"https://example.org"}}) {
    const auto id = spiffe_of(certificate(uris));
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().kind(), ErrorClass::unauthorized);
  }
}

}  // namespace
}  // namespace convoy::security
