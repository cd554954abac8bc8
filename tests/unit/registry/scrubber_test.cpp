#include "registry/core/scrubber.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "support/registry_store.hpp"

namespace convoy::registry {
namespace {

using test::RegistryStore;

class ScrubberTest : public ::testing::Test {
 protected:
  ScrubReport scrub(bool dry_run = false) {
    Scrubber scrubber(*world.blobs, world.meta->upkeep(), world.gate, dry_run,
                      [this](const ScrubReport::Bad& bad) { told.push_back(bad.digest); });
    for (;;) {
      auto more = scrubber.step(1000);
      EXPECT_TRUE(more.ok());
      if (!more || !*more) return scrubber.report();
    }
  }
  std::string file_of(const std::string& bytes, const std::string& more = {}) {
    const std::string hex = RegistryStore::digest(bytes).hex();
    return world.dir / ("store/blobs/sha256/" + hex.substr(0, 2) + "/" + hex + more);
  }
  static void flip(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file.good()) << path;
    const int c = file.get();
    file.seekp(0);
    file.put(static_cast<char>(c ^ 1));
  }

  RegistryStore world;
  std::vector<oci::Digest> told;
};

TEST_F(ScrubberTest, GoodBlobsPass) {
  const std::string big(100'000, 'x');
  ASSERT_TRUE(world.push("a", big).ok());
  ASSERT_TRUE(world.push("a", "").ok());
  const auto report = scrub();
  EXPECT_TRUE(report.done);
  EXPECT_EQ(report.blobs, 2u);
  EXPECT_EQ(report.bytes, big.size());
  EXPECT_TRUE(report.bad.empty());
  EXPECT_EQ(report.leaves_mended, 0u);
}

TEST_F(ScrubberTest, FlippedByteIsQuarantinedAndAPushHealsIt) {
  const std::string bytes(50'000, 'y');
  ASSERT_TRUE(world.push("a", bytes).ok());
  flip(file_of(bytes));
  EXPECT_EQ(scrub(true).bad.size(), 1u);
  EXPECT_TRUE(world.linked("a", bytes));
  const auto report = scrub();
  ASSERT_EQ(report.bad.size(), 1u);
  EXPECT_EQ(report.bad[0].reason, "digest_mismatch");
  EXPECT_EQ(told.size(), 2u);
  EXPECT_FALSE(world.linked("a", bytes));
  EXPECT_FALSE(world.stored(bytes));
  EXPECT_EQ(world.meta
                ->mount_blob(RegistryStore::repo("a"), RegistryStore::repo("b"),
                             RegistryStore::digest(bytes))
                .error()
                .code(),
            "blob_unknown");
  EXPECT_TRUE(scrub().bad.empty());
  ASSERT_TRUE(world.push("a", bytes).ok());
  EXPECT_TRUE(world.linked("a", bytes));
  EXPECT_TRUE(scrub().bad.empty());
}

TEST_F(ScrubberTest, PushHealsACutFileThatNoScrubHasFoundYet) {
  const std::string bytes(50'000, 'y');
  ASSERT_TRUE(world.push("a", bytes).ok());
  std::filesystem::resize_file(file_of(bytes), 100);
  ASSERT_TRUE(world.push("a", bytes).ok());
  EXPECT_TRUE(scrub().bad.empty());
}

TEST_F(ScrubberTest, CrashBetweenNoteAndMoveNeverServesTheBadBytes) {
  ASSERT_TRUE(world.push("a", "bytes").ok());
  flip(file_of("bytes"));
  ASSERT_TRUE(world.meta->upkeep().quarantine(RegistryStore::digest("bytes"), "x").ok());
  world.reopen();
  EXPECT_FALSE(world.linked("a", "bytes"));
}

TEST_F(ScrubberTest, BadLeavesAreMadeAnew) {
  const std::string bytes(50'000, 'z');
  ASSERT_TRUE(world.push("a", bytes).ok());
  const auto good = world.blobs->leaves(RegistryStore::digest(bytes)).value();
  flip(file_of(bytes, ".leaves"));
  EXPECT_EQ(scrub().leaves_mended, 1u);
  EXPECT_EQ(world.blobs->leaves(RegistryStore::digest(bytes)).value(), good);
  EXPECT_EQ(scrub().leaves_mended, 0u);
}

TEST_F(ScrubberTest, PassThatIsCutOffGoesOnWhereItWas) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(world.push("a", "blob" + std::to_string(i)).ok());
  {
    Scrubber first(*world.blobs, world.meta->upkeep(), world.gate, false, {});
    while (first.report().blobs < 20) ASSERT_TRUE(first.step(1000).value());
  }
  world.reopen();
  const auto rest = scrub();
  EXPECT_LE(rest.blobs, 25u);
  EXPECT_GE(rest.blobs, 20u);
  EXPECT_EQ(scrub().blobs, 40u);
}

TEST_F(ScrubberTest, QuarantinedBlobThatNobodyHoldsIsCollected) {
  ASSERT_TRUE(world.push("a", "bytes").ok());
  flip(file_of("bytes"));
  EXPECT_EQ(scrub().bad.size(), 1u);
  world.clock.advance(std::chrono::hours(3));
  EXPECT_EQ(world.collect().links, 1u);
  EXPECT_TRUE(world.meta->upkeep().quarantined(9).value().empty());
}

}  // namespace
}  // namespace convoy::registry
