#pragma once

#include <cstdlib>
#include <memory>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

// Ownership of OpenSSL objects, for the sources of crypto alone.
namespace convoy::crypto::detail {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

inline void free_names(GENERAL_NAMES* names) { sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free); }
inline void free_usage(EXTENDED_KEY_USAGE* u) { sk_ASN1_OBJECT_pop_free(u, ASN1_OBJECT_free); }
inline void free_stack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
inline void free_buffer(void* p) { OPENSSL_free(p); }

using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using BnPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using EcSigPtr = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using X509ReqPtr = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using X509StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using X509StackPtr = std::unique_ptr<STACK_OF(X509), Deleter<free_stack>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<free_names>>;
using UsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, Deleter<free_usage>>;
using BufferPtr = std::unique_ptr<unsigned char, Deleter<free_buffer>>;

/// For calls that fail only when memory or the provider is gone: nothing sensible can follow.
inline void must(bool ok) {
  if (!ok) std::abort();
}
template <class T>
T* must(T* p) {
  if (p == nullptr) std::abort();
  return p;
}

/// A source over `text`, which must outlive it. OpenSSL refuses a null address even for no bytes.
inline BioPtr read_from(std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  return BioPtr(must(BIO_new_mem_buf(data, static_cast<int>(text.size()))));
}

/// The oldest entry of this thread's error queue as text; empties the queue.
std::string take_error();

/// One block of PEM, decoded; what lies in it is wiped when it dies.
struct PemBlock {
  std::string name;
  Bytes data;
};
/// The next block of `bio`. False at the end; `broken` tells a damaged text from its end.
bool next_pem(BIO* bio, PemBlock& block, bool& broken);

const EVP_MD* sha256_md();

/// Whether it is an EC key on P-256 in the one usual encoding (named curve, uncompressed).
bool is_p256(const EVP_PKEY* key);
/// The same from the bytes of a certificate, without decoding the key; whether it is a point of the
/// curve shows when it is decoded.
bool is_p256(const X509_PUBKEY* key);
/// SubjectPublicKeyInfo.
Bytes spki_of(const EVP_PKEY* key);

}  // namespace convoy::crypto::detail
