#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/oci/digest.hpp"
#include "wire/oci/reference.hpp"

// The list of referrers that clients without the referrers API keep themselves: an index under a
// tag made of the subject's digest (distribution-spec 1.1, "referrers tag schema"). Pure.
namespace convoy::registry {

/// "<algorithm>-<hex>", the latter cut to 64 characters.
oci::Tag referrers_tag(const oci::Digest& subject);
/// Whether a tag may be such a list by its form.
bool is_referrers_tag(const oci::Tag&);

struct ShorterList {
  std::string body;
  bool empty = false;
};
/// The index without the entries of `digest`, all else as it stands; nothing when it has none.
std::optional<ShorterList> without_entry(std::string_view index, const oci::Digest& digest);

}  // namespace convoy::registry
