#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace convoy::oci {

enum class DigestAlgorithm : std::uint8_t { sha256, sha512 };

/// A content digest, "sha256:<64 hex>" or "sha512:<128 hex>" (OCI image-spec, descriptor).
/// Always valid: the only way in from text is parse().
class Digest {
 public:
  /// Refuses other algorithms, upper case, wrong lengths. Error code "digest_invalid".
  static Result<Digest> parse(std::string_view);
  static Digest sha256(const Hash256&);
  /// `raw` must be 32 or 64 bytes, as `algorithm` has it; ends the process otherwise.
  static Digest of(DigestAlgorithm algorithm, ByteView raw);

  DigestAlgorithm algorithm() const { return algorithm_; }
  std::string_view algorithm_name() const;
  ByteView raw() const { return {raw_.data(), size()}; }
  std::string hex() const;
  /// "sha256:…"
  std::string str() const;

  auto operator<=>(const Digest&) const = default;

 private:
  Digest() = default;
  std::size_t size() const { return algorithm_ == DigestAlgorithm::sha256 ? 32 : 64; }
  DigestAlgorithm algorithm_ = DigestAlgorithm::sha256;
  std::array<std::uint8_t, 64> raw_{};
};

}  // namespace convoy::oci

template <>
struct std::hash<convoy::oci::Digest> {
  std::size_t operator()(const convoy::oci::Digest& d) const noexcept;
};
