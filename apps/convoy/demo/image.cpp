#include "demo/image.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "crypto/hash.hpp"
#include "demo/files.hpp"
#include "demo/layer.hpp"
#include "wire/json.hpp"
#include "wire/oci/manifest.hpp"

namespace convoy::demo {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";

/// Parts of the whole in 1/16: like real images, one big layer and several small ones.
constexpr std::uint64_t kShares[] = {8, 4, 2, 1, 1};

json::object descriptor(std::string_view type, const ImageBlob& blob) {
  return {{"mediaType", type}, {"digest", blob.digest.str()}, {"size", blob.size}};
}

Result<ImageBlob> put_text(const fs::path& blobs, const std::string& text) {
  const auto digest = oci::Digest::sha256(crypto::sha256(as_bytes(text)));
  if (auto done = write_file(blobs / digest.hex(), text); !done) return std::move(done).error();
  return ImageBlob{digest, text.size()};
}

Result<std::string> blob_text(const fs::path& layout, const oci::Digest& digest) {
  return read_file(layout / "blobs" / digest.algorithm_name() / digest.hex(),
                   oci::kMaxManifestBytes);
}

Result<oci::Manifest> manifest_at(const fs::path& layout, const oci::Descriptor& entry) {
  auto text = blob_text(layout, entry.digest);
  if (!text) return std::move(text).error();
  return oci::parse_manifest(*text, entry.media_type);
}

}  // namespace

const ImageBlob& Image::largest() const {
  return *std::max_element(blobs.begin(), blobs.end(),
                           [](const auto& a, const auto& b) { return a.size < b.size; });
}

Result<Image> make_image(const fs::path& layout, std::uint64_t bytes, Random& random) {
  const fs::path blobs = layout / "blobs" / "sha256";
  std::error_code ec;
  fs::create_directories(blobs, ec);
  if (ec) return internal_error("image_write", ec.message());

  Image image{layout, "latest", {}, 0};
  json::array layers, diff_ids;
  for (std::size_t i = 0; i < std::size(kShares); ++i) {
    auto layer = write_layer(blobs, fmt::format("data-{}", i + 1), bytes * kShares[i] / 16, random);
    if (!layer) return std::move(layer).error();
    layers.push_back(descriptor(kLayerType, layer->blob));
    diff_ids.push_back(json::string(layer->diff_id.str()));
    image.blobs.push_back(layer->blob);
  }
  const json::object config_json{
      {"architecture", "amd64"},
      {"os", "linux"},
      {"config", json::object{}},
      {"rootfs", json::object{{"type", "layers"}, {"diff_ids", diff_ids}}}};
  auto config = put_text(blobs, json::serialize(config_json));
  if (!config) return std::move(config).error();
  image.blobs.insert(image.blobs.begin(), *config);
  for (const auto& blob : image.blobs) image.bytes += blob.size;

  const json::object manifest_json{{"schemaVersion", 2},
                                   {"mediaType", oci::kMediaOciManifest},
                                   {"config", descriptor(kConfigType, *config)},
                                   {"layers", layers}};
  auto manifest = put_text(blobs, json::serialize(manifest_json));
  if (!manifest) return std::move(manifest).error();
  json::object entry = descriptor(oci::kMediaOciManifest, *manifest);
  entry["annotations"] = json::object{{kRefName, image.tag}};
  const json::object index{{"schemaVersion", 2}, {"manifests", json::array{entry}}};
  if (auto s = write_file(layout / "index.json", json::serialize(index)); !s) {
    return std::move(s).error();
  }
  if (auto s = write_file(layout / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})"); !s) {
    return std::move(s).error();
  }
  return image;
}

Result<Image> read_image(const fs::path& layout) {
  auto text = read_file(layout / "index.json", oci::kMaxManifestBytes);
  if (!text) {
    return not_found("image_read", layout.string() + " is no OCI layout (no index.json in it)");
  }
  auto object = wire::parse_json_object(*text);
  if (!object) return std::move(object).error();
  std::string tag;
  if (const auto* list = object->if_contains("manifests");
      list && list->is_array() && !list->as_array().empty() && list->as_array()[0].is_object()) {
    const auto& first = list->as_array()[0].as_object();
    if (const auto* notes = first.if_contains("annotations"); notes && notes->is_object()) {
      tag = wire::json_string(notes->as_object(), kRefName).value_or("");
    }
  }
  auto index = oci::parse_manifest(*text, oci::kMediaOciIndex);
  if (!index) return std::move(index).error();
  // An index may name another index; its first image is what a pull on this machine takes.
  for (int depth = 0; index->is_index && depth < 4; ++depth) {
    if (index->manifests.empty()) return invalid("image_read", "the index is empty");
    const oci::Descriptor entry = index->manifests.front();
    index = manifest_at(layout, entry);
    if (!index) return std::move(index).error();
  }
  if (index->is_index || !index->config) return invalid("image_read", "no image in the layout");
  Image image{layout, tag, {{index->config->digest, index->config->size}}, index->config->size};
  for (const auto& layer : index->layers) {
    image.blobs.push_back({layer.digest, layer.size});
    image.bytes += layer.size;
  }
  return image;
}

}  // namespace convoy::demo
