#include "crypto/jws.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

namespace convoy::crypto {
namespace {

constexpr std::string_view kAlgorithm = "ES256";

}  // namespace

std::string sign_jwt(const Signer& signer, std::string_view typ,
                     const boost::json::object& claims) {
  boost::json::array x5c;
  for (const auto& cert : signer.chain) {
    const bool root = !x5c.empty() && cert.is_self_issued();
    if (!root) x5c.emplace_back(to_base64(cert.der()));
  }
  boost::json::object header;
  header["alg"] = kAlgorithm;
  header["typ"] = typ;
  header["kid"] = signer.key.public_key().thumbprint();
  header["x5c"] = std::move(x5c);
  const std::string input = auth::jwt_signing_input(header, claims);
  return auth::jwt_compact(input, signer.key.sign(as_bytes(input)));
}

Status verify_jwt(const auth::ParsedJwt& token, std::string_view typ, SignerTrust& signers,
                  UnixTime now) {
  if (token.algorithm != kAlgorithm) return unauthorized("token_algorithm");
  if (token.type != typ) return unauthorized("token_type");
  const auto key = signers.key_of(token.chain, now);
  if (!key) return key.error();
  if (!key->verify(as_bytes(token.signing_input), token.signature)) {
    return unauthorized("token_signature");
  }
  return {};
}

}  // namespace convoy::crypto
