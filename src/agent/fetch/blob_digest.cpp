#include "agent/fetch/blob_digest.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace convoy::agent {
namespace {

constexpr std::uint64_t kStep = 256 * 1024;

template <class Hash>
Status hash_file(const storage::PieceFile& file, Hash& hash, std::uint64_t from,
                 std::uint64_t end) {
  Bytes buffer(static_cast<std::size_t>(std::min(end - from, kStep)));
  while (from < end) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(end - from, buffer.size()));
    const auto part = MutableByteView(buffer).first(n);
    if (auto read = file.read_at(from, part); !read) return read;
    hash.update(part);
    from += n;
  }
  return {};
}

}  // namespace

BlobDigest::BlobDigest(oci::DigestAlgorithm algorithm) {
  if (algorithm == oci::DigestAlgorithm::sha512) sha512_ = crypto::make_hasher(algorithm);
}

std::uint64_t BlobDigest::size() const {
  const std::lock_guard lock(mutex_);
  return sha512_ ? sha512_size_ : sha256_.size();
}

std::optional<crypto::Sha256> BlobDigest::at(std::uint64_t offset) const {
  const std::lock_guard lock(mutex_);
  if (sha512_ || sha256_.size() != offset) return std::nullopt;
  return sha256_;
}

void BlobDigest::advance(const crypto::Sha256& state) {
  const std::lock_guard lock(mutex_);
  if (state.size() > sha256_.size()) sha256_ = state;
}

Status BlobDigest::read_on(const storage::PieceFile& file, std::uint64_t end) {
  const std::uint64_t from = size();
  if (from >= end) return {};
  if (sha512_) {
    auto done = hash_file(file, *sha512_, from, end);
    const std::lock_guard lock(mutex_);
    sha512_size_ = end;
    return done;
  }
  auto state = at(from);
  if (!state) return {};  // somebody else took it along meanwhile
  auto done = hash_file(file, *state, from, end);
  if (done) advance(*state);
  return done;
}

Bytes BlobDigest::finish() {
  const std::lock_guard lock(mutex_);
  return sha512_ ? sha512_->finish() : to_bytes(sha256_.finish());
}

}  // namespace convoy::agent
