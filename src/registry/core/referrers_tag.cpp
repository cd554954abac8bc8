#include "registry/core/referrers_tag.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "wire/json.hpp"
#include "wire/oci/manifest.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxEncoded = 64;

bool names(const boost::json::value& entry, std::string_view digest) {
  const auto* object = entry.if_object();
  const auto* text = object == nullptr ? nullptr : object->if_contains("digest");
  return text != nullptr && text->is_string() && std::string_view(text->get_string()) == digest;
}

}  // namespace

oci::Tag referrers_tag(const oci::Digest& subject) {
  std::string text = subject.str();
  const auto colon = text.find(':');
  text[colon] = '-';
  text.resize(std::min(text.size(), colon + 1 + kMaxEncoded));
  return oci::Tag::parse(text).value();
}

bool is_referrers_tag(const oci::Tag& tag) {
  const std::string& text = tag.str();
  const auto dash = text.find('-');
  return dash != std::string::npos && text.size() == dash + 1 + kMaxEncoded &&
         text.find_first_not_of("0123456789abcdef", dash + 1) == std::string::npos;
}

std::optional<ShorterList> without_entry(std::string_view index, const oci::Digest& digest) {
  auto root =
      wire::parse_json_object(index, {.max_bytes = oci::kMaxManifestBytes, .max_depth = 64});
  if (!root) return std::nullopt;
  auto* list = root->if_contains("manifests");
  if (list == nullptr || !list->is_array()) return std::nullopt;
  auto& entries = list->get_array();
  const std::string text = digest.str();
  const auto* gone = std::remove_if(entries.begin(), entries.end(),
                                    [&](const auto& entry) { return names(entry, text); });
  if (gone == entries.end()) return std::nullopt;
  entries.erase(gone, entries.end());
  const bool empty = entries.empty();
  return ShorterList{boost::json::serialize(*root), empty};
}

}  // namespace convoy::registry
