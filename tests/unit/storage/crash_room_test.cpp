#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/hash.hpp"
#include "storage/blob/blob_store.hpp"
#include "support/storage_crash.hpp"
#include "support/storage_dir.hpp"

// Uploads take disk ahead of what is written; a crash may keep that and lose what filled it.
namespace convoy::storage {
namespace {

using test::Lost;

constexpr std::size_t kStride = 8 * 1024 * 1024;  // from here on, and as much
constexpr std::size_t kPart = 1024 * 1024;
const std::string kId(32, 'a');

std::size_t on_disk(const std::string& path) {
  struct stat st{};
  EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
  return static_cast<std::size_t>(st.st_blocks) * 512;
}

BlobFacts facts_of(ByteView bytes) {
  crypto::MerkleLeaves leaves;
  leaves.update(bytes);
  return {oci::Digest::sha256(crypto::sha256(bytes)), bytes.size(), leaves.finish()};
}

/// Appends a whole stride and a part, and commits them.
void push(BlobStore& blobs) {
  auto upload = std::move(blobs.create_upload(kId)).value();
  Bytes all;
  for (std::size_t i = 0; i <= kStride / kPart; ++i) {
    const Bytes part(kPart, static_cast<std::uint8_t>(i + 1));
    ASSERT_TRUE(upload->append(part).ok());
    all.insert(all.end(), part.begin(), part.end());
  }
  ASSERT_TRUE(upload->commit(facts_of(all)).ok());
}

/// The client goes on with a few bytes after whatever is there, and ends it.
void finish(const std::string& path) {
  auto blobs = std::move(open_file_blob_store(path)).value();
  auto upload = std::move(blobs->reopen_upload(kId)).value();
  ASSERT_TRUE(upload->append(as_bytes("end")).ok());
  Bytes all(upload->size());
  ASSERT_TRUE(upload->read_at(0, all).ok());
  const BlobFacts facts = facts_of(all);
  ASSERT_TRUE(upload->commit(facts).ok());
  const std::string hex = facts.digest.hex();
  const std::string blob = path + "/blobs/sha256/" + hex.substr(0, 2) + '/' + hex;
  EXPECT_LT(on_disk(blob), all.size() + kStride / 8);
}

TEST(StorageCrashRoom, WhatACrashLeftTakenAheadIsGivenBackByTheCommit) {
  const test::TempDir dir;
  std::filesystem::create_directory(dir / "data");
  test::DiskLog log(dir / "data");
  test::LoggedDisk disk(log);
  push(*std::move(open_file_blob_store(dir / "data", disk)).value());
  int seen = 0;
  for (std::size_t length = 0; length <= log.size(); ++length) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      SCOPED_TRACE("operation " + std::to_string(length) + ", seed " + std::to_string(seed));
      const std::string path = dir / "crashed";
      log.materialise(length, Lost::some, seed, path);
      const std::string file = path + "/uploads/" + kId;
      if (std::filesystem::exists(file) &&
          on_disk(file) > std::filesystem::file_size(file) + kStride / 2) {
        ++seen;
        finish(path);
      }
      std::filesystem::remove_all(path);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(seen, 0) << "no crash kept room alone; can this file system take it ahead?";
}

}  // namespace
}  // namespace convoy::storage
