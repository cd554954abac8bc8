#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

// Opaque: OpenSSL types stay inside crypto's sources.
struct evp_pkey_st;

namespace convoy::crypto {

/// An EC P-256 public key. Immutable, cheap to copy, safe from any thread.
class PublicKey {
 public:
  /// SubjectPublicKeyInfo, DER. Refuses every other kind and curve. Error "key_invalid".
  static Result<PublicKey> from_spki(ByteView der);
  Bytes spki() const;
  /// RFC 7638 JWK thumbprint, base64url.
  std::string thumbprint() const;
  /// ES256 (RFC 7518 3.4): `signature` is r || s, exactly 64 bytes.
  bool verify(ByteView message, ByteView signature) const;

  explicit PublicKey(std::shared_ptr<evp_pkey_st> k) : key_(std::move(k)) {}
  evp_pkey_st* handle() const { return key_.get(); }

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

/// An EC P-256 private key. Cheap to copy (shared), safe from any thread.
class PrivateKey {
 public:
  static PrivateKey generate();
  /// PKCS#8 or SEC1 PEM. Error "key_invalid".
  static Result<PrivateKey> from_pem(const Secret&);
  Secret to_pem() const;  ///< PKCS#8
  PublicKey public_key() const;
  /// ES256: r || s, 64 bytes.
  Bytes sign(ByteView message) const;

  explicit PrivateKey(std::shared_ptr<evp_pkey_st>);
  evp_pkey_st* handle() const { return key_.get(); }

 private:
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<evp_pkey_st> public_;  ///< decoding it is slow
};

}  // namespace convoy::crypto
