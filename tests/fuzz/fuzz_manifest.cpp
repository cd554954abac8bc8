#include "fuzz/fuzz.hpp"
#include "wire/oci/manifest.hpp"

using namespace convoy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text(data, size);
  for (const auto type : {oci::kMediaOciManifest, oci::kMediaOciIndex}) {
    const auto m = oci::parse_manifest(text, type);
    if (!m) continue;
    fuzz::check(m->is_index ? !m->config && m->layers.empty() : m->config && m->manifests.empty());
    fuzz::check(m->media_type == type);
    // What one kind accepts the other refuses.
    const auto other = m->is_index ? oci::kMediaOciManifest : oci::kMediaOciIndex;
    fuzz::check(!oci::parse_manifest(text, other));
  }
  return 0;
}
