#include "crypto/blob_hasher.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "crypto/ossl.hpp"

namespace convoy::crypto {

BlobHasher::BlobHasher(oci::DigestAlgorithm algorithm) {
  if (algorithm == oci::DigestAlgorithm::sha512) sha512_ = make_hasher(algorithm);
  mark_.words = sha256_.words();
}

BlobHasher::BlobHasher(const Mark& mark, std::vector<Hash256> leaves)
    : size_(mark.size), sha256_(mark.words, mark.size), mark_(mark), leaves_(std::move(leaves)) {
  detail::must(mark.size == leaves_.whole().size() * MerkleLeaves::kBlock);
}

oci::DigestAlgorithm BlobHasher::algorithm() const {
  return sha512_ ? oci::DigestAlgorithm::sha512 : oci::DigestAlgorithm::sha256;
}

void BlobHasher::update(ByteView data) {
  if (sha512_) {
    sha512_->update(data);
    leaves_.update(data);
    size_ += data.size();
    return;
  }
  while (!data.empty()) {
    const std::size_t left = MerkleLeaves::kBlock - size_ % MerkleLeaves::kBlock;
    const ByteView part = data.first(std::min(data.size(), left));
    leaves_.update_with(sha256_, part);
    size_ += part.size();
    if (part.size() == left) mark_ = {size_, sha256_.words()};
    data = data.subspan(part.size());
  }
}

std::optional<BlobHasher::Mark> BlobHasher::mark() const {
  if (sha512_) return std::nullopt;
  return mark_;
}

oci::Digest BlobHasher::digest() {
  if (sha512_) return oci::Digest::of(algorithm(), sha512_->finish());
  return oci::Digest::sha256(sha256_.finish());
}

}  // namespace convoy::crypto
