#include "wire/oci/digest.hpp"

#include <cstring>

namespace convoy::oci {
namespace {

constexpr std::string_view kSha256 = "sha256";
constexpr std::string_view kSha512 = "sha512";

std::size_t raw_size(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::sha256 ? 32 : 64;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return invalid("digest_invalid", "no algorithm");
  const auto name = text.substr(0, colon);
  if (name != kSha256 && name != kSha512) return invalid("digest_invalid", "unknown algorithm");
  const auto algorithm = name == kSha256 ? DigestAlgorithm::sha256 : DigestAlgorithm::sha512;
  const auto hex = text.substr(colon + 1);
  if (hex.size() != raw_size(algorithm) * 2) return invalid("digest_invalid", "wrong length");
  const auto raw = from_hex(hex);
  if (!raw) return invalid("digest_invalid", "not lower-case hexadecimal");
  return of(algorithm, *raw);
}

Digest Digest::sha256(const Hash256& hash) { return of(DigestAlgorithm::sha256, hash); }

Digest Digest::of(DigestAlgorithm algorithm, ByteView raw) {
  if (raw.size() != raw_size(algorithm)) __builtin_trap();
  Digest digest;
  digest.algorithm_ = algorithm;
  std::copy(raw.begin(), raw.end(), digest.raw_.begin());
  return digest;
}

std::string_view Digest::algorithm_name() const {
  return algorithm_ == DigestAlgorithm::sha256 ? kSha256 : kSha512;
}

std::string Digest::hex() const { return to_hex(raw()); }

std::string Digest::str() const { return std::string(algorithm_name()) + ":" + hex(); }

}  // namespace convoy::oci

std::size_t std::hash<convoy::oci::Digest>::operator()(
    const convoy::oci::Digest& d) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, d.raw().data(), sizeof(value));
  return value;
}
