#include "crypto/hash.hpp"

#include "crypto/ossl.hpp"
#include "crypto/sha256.hpp"

namespace convoy::crypto {
namespace {

using detail::MdCtxPtr;
using detail::must;

const EVP_MD* sha512_md() {
  static const EVP_MD* const md = must(EVP_MD_fetch(nullptr, "SHA512", nullptr));
  return md;
}

class Sha256Hasher final : public Hasher {
 public:
  void update(ByteView data) override { hash_.update(data); }
  Bytes finish() override { return to_bytes(hash_.finish()); }

 private:
  Sha256 hash_;
};

class Sha512Hasher final : public Hasher {
 public:
  Sha512Hasher() : ctx_(must(EVP_MD_CTX_new())) {
    must(EVP_DigestInit_ex2(ctx_.get(), sha512_md(), nullptr) == 1);
  }

  void update(ByteView data) override {
    must(EVP_DigestUpdate(ctx_.get(), data.data(), data.size()) == 1);
  }

  Bytes finish() override {
    Bytes out(static_cast<std::size_t>(EVP_MD_CTX_get_size(ctx_.get())));
    unsigned int size = 0;
    must(EVP_DigestFinal_ex(ctx_.get(), out.data(), &size) == 1 && size == out.size());
    return out;
  }

 private:
  MdCtxPtr ctx_;
};

}  // namespace

const EVP_MD* detail::sha256_md() {
  static const EVP_MD* const md = must(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return md;
}

Hash256 sha256(ByteView data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

Hash256 sha256_pair(const Hash256& left, const Hash256& right) {
  Sha256 hash;
  hash.update(left);
  hash.update(right);
  return hash.finish();
}

std::unique_ptr<Hasher> make_hasher(oci::DigestAlgorithm algorithm) {
  if (algorithm == oci::DigestAlgorithm::sha512) return std::make_unique<Sha512Hasher>();
  return std::make_unique<Sha256Hasher>();
}

}  // namespace convoy::crypto
