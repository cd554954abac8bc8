#include "security/token/metadata_statement.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "forge.hpp"
#include "support/manual_clock.hpp"
#include "support/pki.hpp"

namespace convoy::security {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class MetadataTest : public testing::Test {
 protected:
  bt::BlobMeta meta(std::uint64_t size) {
    return {digest_, size, bt::choose_piece_length(size), crypto::sha256(as_bytes("root"))};
  }
  std::string statement(std::uint64_t size = 1'000'000'000) {
    return keys_.metadata().sign(meta(size));
  }
  std::string check(const std::string& compact) {
    const auto got = keys_.metadata_verifier().verify(compact, digest_);
    return got ? "" : got.error().code();
  }
  std::string with(std::string_view claim, json::value value) {
    return test::resign(statement(), keys_.metadata_signer(), claim, std::move(value));
  }

  test::ManualClock clock_;
  test::TestRegistryKeys keys_{clock_};
  oci::Digest digest_ = oci::Digest::sha256(crypto::sha256(as_bytes("blob")));
};

TEST_F(MetadataTest, SaysWhatWasSigned) {
  for (const std::uint64_t size :
       {std::uint64_t{1}, std::uint64_t{1} << 20, std::uint64_t{1} << 40}) {
    const auto got = keys_.metadata_verifier().verify(statement(size), digest_);
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(got->meta, meta(size));
    EXPECT_EQ(got->issuer, keys_.issuer);
    EXPECT_EQ(got->expires, clock_.wall() + 24h);
  }
}

TEST_F(MetadataTest, RefusesUnsignedTamperedAndForeignStatements) {
  const std::string good = statement();
  EXPECT_EQ(check(""), "metadata_malformed");
  EXPECT_EQ(check(good.substr(0, good.rfind('.') + 1)), "metadata_signature");
  const auto first = good.find('.');
  auto claims = test::claims_of(good);
  claims["root"] = to_hex(crypto::sha256(as_bytes("poison")));
  const std::string other =
      crypto::sign_jwt(keys_.metadata_signer(), "convoy-metadata+jwt", claims);
  const std::string body = other.substr(first + 1, other.rfind('.') - first - 1);
  EXPECT_EQ(check(good.substr(0, first + 1) + body + good.substr(good.rfind('.'))),
            "metadata_signature");
  test::TestRegistryKeys foreign(clock_);
  EXPECT_EQ(check(foreign.metadata().sign(meta(5))), "metadata_signature");
}

TEST_F(MetadataTest, RefusesTheTokenKeyAndOtherTypes) {
  const auto claims = test::claims_of(statement());
  EXPECT_EQ(check(crypto::sign_jwt(keys_.token_signer(), "convoy-metadata+jwt", claims)),
            "metadata_signature");
  EXPECT_EQ(check(crypto::sign_jwt(keys_.metadata_signer(), "JWT", claims)), "metadata_malformed");
}

TEST_F(MetadataTest, RefusesAnotherBlob) {
  const auto asked = oci::Digest::sha256(crypto::sha256(as_bytes("another")));
  const auto got = keys_.metadata_verifier().verify(statement(), asked);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), "metadata_wrong_blob");
}

TEST_F(MetadataTest, RefusesAnotherIssuer) {
  EXPECT_EQ(check(with("iss", "other")), "metadata_wrong_issuer");
  EXPECT_EQ(check(with("iss", nullptr)), "metadata_wrong_issuer");
}

TEST_F(MetadataTest, RunsOutAndBeginsWithLeeway) {
  const std::string s = statement();
  clock_.advance(24h + 59s);
  EXPECT_EQ(check(s), "");
  clock_.advance(1s);
  EXPECT_EQ(check(s), "metadata_expired");
  clock_.advance(-(24h + 60s) - 61s);
  EXPECT_EQ(check(s), "metadata_not_yet_valid");
}

TEST_F(MetadataTest, RefusesALongerLife) {
  const auto now = clock_.wall().time_since_epoch().count();
  EXPECT_EQ(check(with("exp", now + 24 * 3600 + 1)), "metadata_malformed");
  EXPECT_EQ(check(with("exp", nullptr)), "metadata_malformed");
}

TEST_F(MetadataTest, RefusesSizesAndPieceLengthsThatAreNone) {
  EXPECT_EQ(check(with("size", 0)), "metadata_malformed");
  EXPECT_EQ(check(with("size", -1)), "metadata_malformed");
  EXPECT_EQ(check(test::resign(statement(1), keys_.metadata_signer(), "size", 0)),
            "metadata_malformed")
      << "with the piece length that would be its";
  EXPECT_EQ(check(with("size", 1.5)), "metadata_malformed");
  EXPECT_EQ(check(with("size", nullptr)), "metadata_malformed");
  const auto right = std::int64_t{bt::choose_piece_length(1'000'000'000)};
  EXPECT_EQ(check(with("pl", right)), "");
  EXPECT_EQ(check(with("pl", right * 2)), "metadata_malformed");
  EXPECT_EQ(check(with("pl", right + (std::int64_t{1} << 32))), "metadata_malformed");
  EXPECT_EQ(check(with("pl", 0)), "metadata_malformed");
  EXPECT_EQ(check(with("root", "00")), "metadata_malformed");
  EXPECT_EQ(check(with("dig", "sha256:00")), "metadata_malformed");
}

}  // namespace
}  // namespace convoy::security
