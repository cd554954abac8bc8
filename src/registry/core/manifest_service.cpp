#include "registry/core/manifest_service.hpp"

#include <algorithm>
#include <boost/json/object.hpp>

#include "crypto/hash.hpp"
#include "registry/core/referrers_tag.hpp"
#include "wire/json.hpp"

namespace convoy::registry {
namespace {

oci::Digest digest_of(oci::DigestAlgorithm algorithm, std::string_view body) {
  auto hasher = crypto::make_hasher(algorithm);
  hasher->update(as_bytes(body));
  const Bytes raw = hasher->finish();
  return oci::Digest::of(algorithm, raw);
}

Result<std::string> own_media_type(std::string_view body) {
  auto root = wire::parse_json_object(body, {.max_bytes = oci::kMaxManifestBytes, .max_depth = 64});
  if (!root) return invalid("manifest_invalid", root.error().detail());
  auto type = wire::json_string(*root, "mediaType");
  if (!type) return invalid("manifest_invalid", "no Content-Type and no mediaType");
  return *std::move(type);
}

std::vector<std::string> warnings_of(const oci::Manifest& manifest) {
  std::vector<std::string> out;
  if (!manifest.names_type) {
    out.emplace_back("The manifest has no mediaType; some clients then cannot tell what it is.");
  }
  if (std::any_of(manifest.layers.begin(), manifest.layers.end(), oci::is_foreign)) {
    out.emplace_back(
        "Layers that are fetched from elsewhere are deprecated: this registry does not keep them.");
  }
  return out;
}

}  // namespace

std::string media_type_of(std::string_view header) {
  header = header.substr(0, header.find(';'));
  const auto first = header.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  header = header.substr(first, header.find_last_not_of(" \t") - first + 1);
  std::string out(header);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

Result<StoredReference> ManifestService::put(const oci::RepoName& repository,
                                             const oci::Reference& reference,
                                             std::string_view content_type, std::string body,
                                             std::vector<oci::Tag> more_tags) {
  if (body.size() > oci::kMaxManifestBytes) return too_large("manifest_too_large");
  std::string type = media_type_of(content_type);
  if (type.empty()) {
    auto own = own_media_type(body);
    if (!own) return std::move(own).error();
    type = std::move(*own);
  }
  auto parsed = oci::parse_manifest(body, type);
  if (!parsed) return std::move(parsed).error();
  parsed->may_miss = may_miss_;

  const auto* named = std::get_if<oci::Digest>(&reference);
  const auto digest =
      digest_of(named == nullptr ? oci::DigestAlgorithm::sha256 : named->algorithm(), body);
  if (named != nullptr && *named != digest) return invalid("digest_mismatch");
  if (const auto* tag = std::get_if<oci::Tag>(&reference)) more_tags.push_back(*tag);

  auto hold = reserve(repository, digest, body.size());
  if (!hold) return std::move(hold).error();
  const storage::StoredManifest stored{digest, std::move(type), std::move(body)};
  std::unique_lock list(lists_, std::defer_lock);
  if (std::any_of(more_tags.begin(), more_tags.end(), is_referrers_tag)) list.lock();
  auto done = meta_.put_manifest(repository, stored, *parsed, more_tags);
  if (!done) {
    // The body names something that is not there: a fault of the request, not of its address.
    if (done.error().code() == "manifest_blob_unknown") {
      return invalid("manifest_blob_unknown", done.error().detail());
    }
    return std::move(done).error();
  }
  StoredReference out{digest, std::nullopt, warnings_of(*parsed), stored.media_type,
                      stored.body.size()};
  if (parsed->subject) out.subject = parsed->subject->digest;
  return out;
}

Result<QuotaHold> ManifestService::reserve(const oci::RepoName& repository,
                                           const oci::Digest& digest, std::uint64_t bytes) {
  if (quota_ == nullptr || !quota_->limited(repository)) return QuotaHold();
  auto there = meta_.has_manifest(repository, digest);
  if (!there) return std::move(there).error();
  if (*there) return QuotaHold();
  return quota_->reserve(repository, bytes);
}

Status ManifestService::remove(const oci::RepoName& repository, const oci::Digest& digest) {
  std::optional<oci::Digest> subject;
  if (auto found = meta_.get_manifest(repository, digest)) {
    auto parsed = oci::parse_manifest(found->body, found->media_type);
    if (parsed && parsed->subject) subject = parsed->subject->digest;
  }
  if (auto done = meta_.delete_manifest(repository, digest); !done) return done;
  if (!subject) return {};
  // The deletion stands: a list that could not be changed names what is not there.
  static_cast<void>(drop_from_list(repository, *subject, digest).ok());
  return {};
}

Status ManifestService::drop_from_list(const oci::RepoName& repository, const oci::Digest& subject,
                                       const oci::Digest& digest) {
  const oci::Tag tag = referrers_tag(subject);
  const std::lock_guard list(lists_);
  auto found = meta_.get_manifest(repository, tag);
  if (!found) return std::move(found).error();
  if (found->media_type != oci::kMediaOciIndex) return {};
  auto shorter = without_entry(found->body, digest);
  if (!shorter) return {};
  if (shorter->empty) return meta_.delete_tag(repository, tag);
  auto parsed = oci::parse_manifest(shorter->body, found->media_type);
  if (!parsed) return std::move(parsed).error();
  parsed->may_miss = oci::MayMiss::children;  // whatever else it lists, it listed before
  const storage::StoredManifest stored{digest_of(oci::DigestAlgorithm::sha256, shorter->body),
                                       found->media_type, std::move(shorter->body)};
  return meta_.put_manifest(repository, stored, *parsed, {tag});
}

}  // namespace convoy::registry
