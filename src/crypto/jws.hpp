#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/certificate.hpp"
#include "crypto/key.hpp"
#include "crypto/signer_trust.hpp"
#include "wire/auth/jwt.hpp"

namespace convoy::crypto {

/// A signing key with the certificates that prove it, leaf first.
struct Signer {
  PrivateKey key;
  std::vector<Certificate> chain;
};

/// ES256 with `typ`, RFC 7638 `kid` and `x5c` in the header (RFC 7515 4.1.6: standard base64). A
/// root at the end of the chain is left out: who does not hold it cannot believe it anyway.
std::string sign_jwt(const Signer&, std::string_view typ, const boost::json::object& claims);

/// The signature of a parsed token, whether its signer counts, and its `typ`.
/// The algorithm is ES256 whatever the token says. Times and claims are the caller's.
/// Errors (unauthorized): "token_algorithm", "token_type", "token_signature" and those of
/// SignerTrust.
Status verify_jwt(const auth::ParsedJwt&, std::string_view typ, SignerTrust& signers, UnixTime now);

}  // namespace convoy::crypto
