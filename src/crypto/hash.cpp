#include "crypto/hash.hpp"

#include "crypto/ossl.hpp"

namespace convoy::crypto {
namespace {

using detail::MdCtxPtr;
using detail::must;

constexpr std::size_t kLeafBytes = 16 * 1024;  // BEP 52

const EVP_MD* sha512_md() {
  static const EVP_MD* const md = must(EVP_MD_fetch(nullptr, "SHA512", nullptr));
  return md;
}

void start(EVP_MD_CTX* ctx, const EVP_MD* md) { must(EVP_DigestInit_ex2(ctx, md, nullptr) == 1); }

void feed(EVP_MD_CTX* ctx, ByteView data) {
  must(EVP_DigestUpdate(ctx, data.data(), data.size()) == 1);
}

Hash256 finish256(EVP_MD_CTX* ctx) {
  Hash256 out;
  unsigned int size = 0;
  must(EVP_DigestFinal_ex(ctx, out.data(), &size) == 1 && size == out.size());
  return out;
}

// A context costs more than hashing one Merkle pair, so each thread keeps one.
EVP_MD_CTX* thread_context() {
  thread_local const MdCtxPtr ctx(must(EVP_MD_CTX_new()));
  return ctx.get();
}

class EvpHasher final : public Hasher {
 public:
  explicit EvpHasher(const EVP_MD* md) : ctx_(must(EVP_MD_CTX_new())) { start(ctx_.get(), md); }

  void update(ByteView data) override { feed(ctx_.get(), data); }

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
  EVP_MD_CTX* const ctx = thread_context();
  start(ctx, detail::sha256_md());
  feed(ctx, data);
  return finish256(ctx);
}

Hash256 sha256_pair(const Hash256& left, const Hash256& right) {
  EVP_MD_CTX* const ctx = thread_context();
  start(ctx, detail::sha256_md());
  feed(ctx, left);
  feed(ctx, right);
  return finish256(ctx);
}

std::unique_ptr<Hasher> make_hasher(oci::DigestAlgorithm algorithm) {
  return std::make_unique<EvpHasher>(
      algorithm == oci::DigestAlgorithm::sha512 ? sha512_md() : detail::sha256_md());
}

struct MerkleLeaves::Impl {
  MdCtxPtr ctx{must(EVP_MD_CTX_new())};
  std::size_t filled = 0;  ///< bytes of the block under way
  std::vector<Hash256> leaves;

  void close_block() {
    leaves.push_back(finish256(ctx.get()));
    filled = 0;
  }
};

MerkleLeaves::MerkleLeaves() : impl_(std::make_unique<Impl>()) {}
MerkleLeaves::~MerkleLeaves() = default;
MerkleLeaves::MerkleLeaves(MerkleLeaves&&) noexcept = default;
MerkleLeaves& MerkleLeaves::operator=(MerkleLeaves&&) noexcept = default;

void MerkleLeaves::update(ByteView data) {
  while (!data.empty()) {
    if (impl_->filled == 0) start(impl_->ctx.get(), detail::sha256_md());
    const std::size_t n = std::min(data.size(), kLeafBytes - impl_->filled);
    feed(impl_->ctx.get(), data.first(n));
    impl_->filled += n;
    data = data.subspan(n);
    if (impl_->filled == kLeafBytes) impl_->close_block();
  }
}

std::vector<Hash256> MerkleLeaves::finish() {
  if (impl_->filled != 0) impl_->close_block();
  return std::move(impl_->leaves);
}

}  // namespace convoy::crypto
