#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hasher.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "crypto/hash.hpp"
#include "registry/core/collector.hpp"
#include "registry/core/quota.hpp"
#include "support/manual_clock.hpp"
#include "support/storage_dir.hpp"

namespace convoy::test {

/// The stores of a registry on disk, a clock that stands, and clients that push into them as the
/// upload service does.
class RegistryStore {
 public:
  explicit RegistryStore(std::vector<registry::Project> projects = {})
      : projects_(std::move(projects)) {
    reopen();
  }

  /// As after a crash: everything in memory is lost.
  void reopen() {
    blobs.reset();
    meta.reset();
    blobs = storage::open_file_blob_store(dir / "store").value();
    meta = storage::open_registry_meta(dir / "meta.db", &clock).value();
  }

  static oci::RepoName repo(std::string_view text) { return oci::RepoName::parse(text).value(); }
  static oci::Tag tag(std::string_view text) { return oci::Tag::parse(text).value(); }
  static oci::Digest digest(std::string_view bytes) {
    return oci::Digest::sha256(crypto::sha256(as_bytes(bytes)));
  }

  /// Bytes in the store that nothing links.
  Status store(std::string_view bytes) {
    auto upload = blobs->create_upload(random.hex(16));
    if (!upload) return std::move(upload).error();
    if (auto done = (*upload)->append(as_bytes(bytes)); !done) return done;
    crypto::MerkleLeaves leaves;
    leaves.update(as_bytes(bytes));
    storage::BlobFacts facts{digest(bytes), bytes.size(), {}};
    if (!bytes.empty()) facts.leaves = leaves.finish();
    return (*upload)->commit(facts);
  }
  Status push(std::string_view repository, std::string_view bytes) {
    const auto held = gate.close(digest(bytes));
    if (auto done = store(bytes); !done) return done;
    return meta->link_blob(repo(repository), digest(bytes), bytes.size());
  }
  static oci::Manifest manifest_of(const std::vector<std::string>& layers) {
    oci::Manifest out;
    for (const auto& layer : layers) {
      out.layers.push_back({.media_type = "application/octet-stream",
                            .digest = digest(layer),
                            .size = layer.size(),
                            .artifact_type = {},
                            .has_urls = false});
    }
    return out;
  }
  Status put(std::string_view repository, const std::string& body,
             const std::vector<std::string>& layers, const std::vector<oci::Tag>& tags) {
    return meta->put_manifest(repo(repository),
                              {digest(body), std::string(oci::kMediaOciManifest), body},
                              manifest_of(layers), tags);
  }

  bool stored(std::string_view bytes) { return blobs->open(digest(bytes)).ok(); }
  bool linked(std::string_view repository, std::string_view bytes) {
    return meta->has_blob(repo(repository), digest(bytes)).value();
  }

  registry::Collector collector(bool dry_run = false) {
    return {*blobs, *meta, gate, projects_, clock, rules, dry_run};
  }
  registry::CollectReport collect(bool dry_run = false) {
    auto run = collector(dry_run);
    for (;;) {
      auto more = run.step();
      EXPECT_TRUE(more.ok()) << more.error().text();
      if (!more || !*more) return run.report();
    }
  }

  TempDir dir;
  ManualClock clock;
  SystemRandom random;
  registry::DigestGate gate;
  registry::CollectRules rules{std::chrono::hours(2), std::chrono::hours(10)};
  std::unique_ptr<storage::BlobStore> blobs;
  std::unique_ptr<storage::RegistryMeta> meta;

 private:
  registry::ProjectBook projects_;
};

}  // namespace convoy::test
