#include "crypto/jws.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "wire/json.hpp"

namespace convoy::crypto {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr UnixTime kNow{std::chrono::seconds(1767323045)};
constexpr std::string_view kType = "JWT";

class Jws : public testing::Test {
 protected:
  CertSpec spec(CertUse use, std::string name) {
    CertSpec s;
    s.common_name = std::move(name);
    s.use = use;
    s.not_before = kNow - 1h;
    s.not_after = kNow + 1h;
    return s;
  }
  Signer make_signer(const PrivateKey& ca_key, const Certificate& ca, CertUse use) {
    const auto key = PrivateKey::generate();
    return {key, {issue(spec(use, "signer"), key.public_key(), ca, ca_key, random_), ca}};
  }
  json::object claims() { return json::object{{"sub", "somebody"}}; }

  std::string check(std::string_view compact, CertUse use = CertUse::token_signer) {
    const auto parsed = auth::parse_jwt(compact);
    if (!parsed) return parsed.error().code();
    SignerTrust signers({ca_}, use);
    const auto good = verify_jwt(*parsed, kType, signers, kNow);
    return good ? "" : good.error().code();
  }
  /// The header of a good token with some members put otherwise, signed properly again.
  std::string resigned(const json::object& changes) {
    json::object header = header_of(sign_jwt(signer_, kType, claims()));
    for (const auto& [key, value] : changes) header[key] = value;
    return sign_raw(header, claims());
  }
  json::object header_of(const std::string& compact) {
    const auto bytes = from_base64url(compact.substr(0, compact.find('.'))).value();
    return wire::parse_json_object(as_text(bytes)).value();
  }
  std::string sign_raw(const json::object& header, const json::object& body) {
    const auto input = auth::jwt_signing_input(header, body);
    return auth::jwt_compact(input, signer_.key.sign(as_bytes(input)));
  }

  SystemRandom random_;
  PrivateKey ca_key_ = PrivateKey::generate();
  Certificate ca_ = self_sign(spec(CertUse::ca, "token CA"), ca_key_, random_);
  Signer signer_ = make_signer(ca_key_, ca_, CertUse::token_signer);
};

TEST_F(Jws, ItsOwnTokenVerifies) { EXPECT_EQ(check(sign_jwt(signer_, kType, claims())), ""); }

TEST_F(Jws, HeaderHasTypeThumbprintAndChainWithoutTheRoot) {
  const auto header = header_of(sign_jwt(signer_, kType, claims()));
  EXPECT_EQ(wire::json_string(header, "alg"), "ES256");
  EXPECT_EQ(wire::json_string(header, "typ"), "JWT");
  EXPECT_EQ(wire::json_string(header, "kid"), signer_.key.public_key().thumbprint());
  const auto& x5c = header.at("x5c").as_array();
  ASSERT_EQ(x5c.size(), 1u);
  // RFC 7515 4.1.6: standard base64 with padding.
  EXPECT_EQ(from_base64(std::string(x5c[0].as_string())), signer_.chain[0].der());
}

TEST_F(Jws, RefusesAlgNone) {
  json::object header = header_of(sign_jwt(signer_, kType, claims()));
  header["alg"] = "none";
  EXPECT_EQ(check(auth::jwt_compact(auth::jwt_signing_input(header, claims()), {})),
            "token_algorithm");
  EXPECT_EQ(check(resigned({{"alg", "none"}})), "token_algorithm");
  EXPECT_EQ(check(resigned({{"alg", "None"}})), "token_algorithm");
}

// The public key used as an HMAC secret must not pass where ES256 is expected.
TEST_F(Jws, RefusesHs256WithThePublicKey) {
  json::object header = header_of(sign_jwt(signer_, kType, claims()));
  header["alg"] = "HS256";
  const std::string input = auth::jwt_signing_input(header, claims());
  for (const Bytes& secret : {signer_.key.public_key().spki(), signer_.chain[0].der()}) {
    Bytes mac(32);
    unsigned int n = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), as_bytes(input).data(),
         input.size(), mac.data(), &n);
    EXPECT_EQ(check(auth::jwt_compact(input, mac)), "token_algorithm");
    header["alg"] = "ES256";
    EXPECT_EQ(check(auth::jwt_compact(auth::jwt_signing_input(header, claims()), mac)),
              "token_signature");
  }
}

TEST_F(Jws, RefusesOtherAlgorithmNames) {
  for (const char* alg : {"ES384", "es256", "RS256", "EdDSA", ""}) {
    EXPECT_EQ(check(resigned({{"alg", alg}})), "token_algorithm") << alg;
  }
}

TEST_F(Jws, RefusesAnotherType) {
  EXPECT_EQ(check(sign_jwt(signer_, "convoy-ticket+jwt", claims())), "token_type");
  EXPECT_EQ(check(sign_jwt(signer_, "", claims())), "token_type");
  EXPECT_EQ(check(sign_jwt(signer_, "jwt", claims())), "token_type");
}

TEST_F(Jws, RefusesCriticalExtensions) {
  EXPECT_EQ(check(resigned({{"crit", json::array{"b64"}}, {"b64", false}})), "token_malformed");
  EXPECT_EQ(check(resigned({{"crit", json::array{}}})), "token_malformed");
}

TEST_F(Jws, RefusesATokenWithoutOrWithAnUnreadableChain) {
  EXPECT_EQ(check(resigned({{"x5c", json::array{"AAAA"}}})), "token_chain");
  json::object header = header_of(sign_jwt(signer_, kType, claims()));
  header.erase("x5c");
  EXPECT_EQ(check(sign_raw(header, claims())), "token_chain");
}

// CVE-2025-24976: an embedded key or a known key id must not replace the chain.
TEST_F(Jws, TakesNoKeyFromTheHeader) {
  const auto attacker = PrivateKey::generate();
  json::object header = header_of(sign_jwt(signer_, kType, claims()));
  header["jwk"] = json::object{{"kty", "EC"}, {"crv", "P-256"}, {"x", "AA"}, {"y", "AA"}};
  header["jku"] = "https://attacker.example/keys";
  const std::string input = auth::jwt_signing_input(header, claims());
  EXPECT_EQ(check(auth::jwt_compact(input, attacker.sign(as_bytes(input)))), "token_signature");
}

TEST_F(Jws, RefusesAForeignChainAndTheRightLeafWithAnotherKey) {
  const auto foreign_key = PrivateKey::generate();
  const auto foreign_ca = self_sign(spec(CertUse::ca, "token CA"), foreign_key, random_);
  const Signer foreign = make_signer(foreign_key, foreign_ca, CertUse::token_signer);
  EXPECT_EQ(check(sign_jwt(foreign, kType, claims())), "certificate_untrusted");
  EXPECT_EQ(check(sign_jwt({foreign.key, {foreign.chain[0], foreign_ca, ca_}}, kType, claims())),
            "certificate_untrusted");
  EXPECT_EQ(check(sign_jwt({foreign.key, signer_.chain}, kType, claims())), "token_signature");
}

TEST_F(Jws, RefusesASignerOfAnotherUse) {
  for (const auto use : {CertUse::ticket_signer, CertUse::metadata_signer, CertUse::node}) {
    EXPECT_EQ(check(sign_jwt(make_signer(ca_key_, ca_, use), kType, claims())),
              "certificate_wrong_use");
  }
  EXPECT_EQ(check(sign_jwt({ca_key_, {ca_}}, kType, claims())), "certificate_wrong_use");
}

TEST_F(Jws, RefusesChangedClaimsAndSignatures) {
  const std::string good = sign_jwt(signer_, kType, claims());
  const auto first = good.find('.');
  const auto second = good.rfind('.');
  const std::string other = to_base64url(as_bytes(R"({"sub":"root"})"));
  EXPECT_EQ(check(good.substr(0, first + 1) + other + good.substr(second)), "token_signature");
  const auto raw = from_base64url(good.substr(second + 1)).value();
  const std::string input = good.substr(0, second);
  EXPECT_EQ(check(auth::jwt_compact(input, ByteView(raw).first(63))), "token_signature");
  Bytes longer = raw;
  longer.push_back(0);
  EXPECT_EQ(check(auth::jwt_compact(input, longer)), "token_signature");
  EXPECT_EQ(check(auth::jwt_compact(input, {})), "token_signature");
}

TEST_F(Jws, RefusesLooseBase64) {
  const std::string good = sign_jwt(signer_, kType, claims());
  EXPECT_EQ(check(good + "="), "token_malformed");
  EXPECT_EQ(check(good + "\n"), "token_malformed");
  EXPECT_EQ(check(" " + good), "token_malformed");
  EXPECT_EQ(check(good + ".x"), "token_malformed");
  std::string plus = good;
  plus.back() = '+';
  EXPECT_EQ(check(plus), "token_malformed");
}

}  // namespace
}  // namespace convoy::crypto
