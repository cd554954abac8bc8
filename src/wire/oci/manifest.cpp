#include "wire/oci/manifest.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "wire/json.hpp"

namespace convoy::oci {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDescriptors = 10'000;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxMediaType = 255;

Error bad(std::string detail) { return invalid("manifest_invalid", std::move(detail)); }

/// A member; null counts as absent, as writers in Go print an empty list that way.
const json::value* member(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool is_index_type(std::string_view type) {
  return type == kMediaOciIndex || type == kMediaDockerList;
}

class Reader {
 public:
  explicit Reader(const json::object& root) : root_(root) {}

  Result<Descriptor> descriptor(const json::value& value) {
    if (++descriptors_ > kMaxDescriptors) return bad("too many descriptors");
    const auto* object = value.if_object();
    if (object == nullptr) return bad("descriptor is not an object");
    auto type = wire::json_string(*object, "mediaType");
    if (!type || type->empty() || type->size() > kMaxMediaType) return bad("descriptor mediaType");
    const auto digest = Digest::parse(wire::json_string(*object, "digest").value_or(""));
    if (!digest) return bad("descriptor digest");
    const auto size = wire::json_int(*object, "size");
    if (!size || *size < 0) return bad("descriptor size");
    auto artifact_type = text(*object, "artifactType");
    if (!artifact_type) return std::move(artifact_type).error();
    const auto* urls = member(*object, "urls");
    if (urls != nullptr && !urls->is_array()) return bad("descriptor urls");
    return Descriptor{.media_type = *std::move(type),
                      .digest = *digest,
                      .size = static_cast<std::uint64_t>(*size),
                      .artifact_type = *std::move(artifact_type),
                      .has_urls = urls != nullptr && !urls->get_array().empty()};
  }

  Status optional_descriptor(std::string_view key, std::optional<Descriptor>& out) {
    const auto* value = member(root_, key);
    if (value == nullptr) return {};
    auto parsed = descriptor(*value);
    if (!parsed) return std::move(parsed).error();
    out = *std::move(parsed);
    return {};
  }

  Status descriptors(std::string_view key, std::vector<Descriptor>& out) {
    const auto* value = member(root_, key);
    if (value == nullptr) return {};
    const auto* list = value->if_array();
    if (list == nullptr) return bad(std::string(key) + " is not a list");
    for (const auto& element : *list) {
      auto parsed = descriptor(element);
      if (!parsed) return std::move(parsed).error();
      out.push_back(*std::move(parsed));
    }
    return {};
  }

  Status annotations(std::map<std::string, std::string>& out) const {
    const auto* value = member(root_, "annotations");
    if (value == nullptr) return {};
    const auto* object = value->if_object();
    if (object == nullptr) return bad("annotations");
    for (const auto& entry : *object) {
      const auto* content = entry.value().if_string();
      if (content == nullptr) return bad("annotation is not text");
      out.emplace(entry.key(), std::string_view(*content));
    }
    return {};
  }

  static Result<std::string> text(const json::object& object, std::string_view key) {
    if (member(object, key) == nullptr) return std::string();
    auto value = wire::json_string(object, key);
    if (!value || value->size() > kMaxMediaType) return bad(std::string(key));
    return *std::move(value);
  }

 private:
  const json::object& root_;
  std::size_t descriptors_ = 0;
};

/// Which of the two kinds the body is, by the type it came with and by its own members.
Status check_kind(const json::object& root, std::string_view content_type) {
  if (!is_manifest_media_type(content_type)) return bad("media type is not a manifest's");
  if (wire::json_int(root, "schemaVersion") != 2) return bad("schemaVersion is not 2");
  const auto own = Reader::text(root, "mediaType");
  if (!own) return own.error();
  if (!own->empty() && *own != content_type) return bad("mediaType differs from Content-Type");
  const bool image_members = root.contains("config") || root.contains("layers");
  const bool index_members = root.contains("manifests");
  if (image_members && index_members) return bad("members of a manifest and of an index");
  const bool index = is_index_type(content_type);
  if (index ? !index_members : member(root, "config") == nullptr) return bad("wrong kind of body");
  if (root.contains("fsLayers")) return bad("schema 1");
  return {};
}

Status read(const json::object& root, Manifest& out) {
  Reader reader(root);
  if (auto s = reader.optional_descriptor("config", out.config); !s) return s;
  if (auto s = reader.descriptors("layers", out.layers); !s) return s;
  if (auto s = reader.descriptors("manifests", out.manifests); !s) return s;
  if (auto s = reader.optional_descriptor("subject", out.subject); !s) return s;
  auto artifact_type = Reader::text(root, "artifactType");
  if (!artifact_type) return std::move(artifact_type).error();
  out.artifact_type = *std::move(artifact_type);
  return reader.annotations(out.annotations);
}

}  // namespace

bool is_foreign(const Descriptor& d) {
  return d.has_urls || d.media_type.find("nondistributable") != std::string::npos ||
         d.media_type.find(".foreign.") != std::string::npos;
}

bool is_manifest_media_type(std::string_view type) {
  return type == kMediaOciManifest || type == kMediaDockerManifest || is_index_type(type);
}

Result<Manifest> parse_manifest(std::string_view body, std::string_view content_type) {
  if (body.size() > kMaxManifestBytes) return too_large("manifest_too_large");
  const auto root =
      wire::parse_json_object(body, {.max_bytes = kMaxManifestBytes, .max_depth = kMaxDepth});
  if (!root) return bad(root.error().detail());
  if (auto status = check_kind(*root, content_type); !status) return std::move(status).error();
  Manifest manifest;
  manifest.media_type = content_type;
  manifest.is_index = is_index_type(content_type);
  manifest.names_type = member(*root, "mediaType") != nullptr;
  if (auto status = read(*root, manifest); !status) return std::move(status).error();
  return manifest;
}

}  // namespace convoy::oci
