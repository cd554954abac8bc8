#pragma once

#include <functional>
#include <string>
#include <vector>

#include "registry/core/projects.hpp"
#include "storage/meta/registry_upkeep.hpp"

namespace convoy::registry {

struct TagDecision {
  std::string tag;
  bool keep = true;
  std::string reason;  ///< a sentence for people
};

/// What the decision looks at besides the tags.
struct RetentionView {
  std::string repository;
  UnixTime now{};
  std::function<bool(const std::string& tag)> immutable;
  /// Whether the manifest is in the repository: signatures and the like hang on it by a tag
  /// "sha256-<hex>…" and stay as long as it does.
  std::function<Result<bool>(const oci::Digest&)> has_manifest;
};

/// Decides on every tag of one repository, in the order given. Pure. Fails when the view does.
Result<std::vector<TagDecision>> decide_retention(const std::vector<RetentionRule>&,
                                                  const RetentionView&,
                                                  const std::vector<storage::TagRow>& tags);

/// The digest that a tag "sha256-<hex>", maybe with ".sig" or the like behind it, belongs to.
std::optional<oci::Digest> attached_to(std::string_view tag);

}  // namespace convoy::registry
