#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::oci {

/// A repository name (OCI distribution-spec, "Pulling manifests"), at most 200 characters.
class RepoName {
 public:
  static constexpr std::size_t kMaxLength = 200;
  /// Error code "name_invalid".
  static Result<RepoName> parse(std::string_view);
  const std::string& str() const { return text_; }
  auto operator<=>(const RepoName&) const = default;

 private:
  explicit RepoName(std::string t) : text_(std::move(t)) {}
  std::string text_;
};

/// A tag, [A-Za-z0-9_][A-Za-z0-9._-]{0,127}.
class Tag {
 public:
  /// Error code "tag_invalid".
  static Result<Tag> parse(std::string_view);
  const std::string& str() const { return text_; }
  auto operator<=>(const Tag&) const = default;

 private:
  explicit Tag(std::string t) : text_(std::move(t)) {}
  std::string text_;
};

/// What stands after /manifests/: a tag or a digest.
using Reference = std::variant<Tag, Digest>;
/// Text with a ':' must be a digest, all else a tag.
Result<Reference> parse_reference(std::string_view);
std::string to_string(const Reference&);

/// host[:port] of a registry, lower case, as in an image reference. At most 255 characters.
class RegistryHost {
 public:
  /// Error code "registry_invalid".
  static Result<RegistryHost> parse(std::string_view);
  const std::string& str() const { return text_; }
  std::string host() const;
  /// 443 when none is written.
  std::uint16_t port() const;
  auto operator<=>(const RegistryHost&) const = default;

 private:
  explicit RegistryHost(std::string t) : text_(std::move(t)) {}
  std::string text_;
};

}  // namespace convoy::oci
