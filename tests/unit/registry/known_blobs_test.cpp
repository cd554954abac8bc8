#include "registry/origin/known_blobs.hpp"

#include <gtest/gtest.h>

namespace convoy::registry {
namespace {

bt::BlobMeta blob(std::uint8_t n) {
  Hash256 hash{};
  hash.fill(n);
  return {.digest = oci::Digest::sha256(hash), .size = n, .piece_length = 65536, .pieces_root = {}};
}

class KnownBlobsTest : public ::testing::Test {
 protected:
  std::string oldest(const std::string& busy = {}) {
    return known_.oldest([&](const std::string& hex) { return busy.find(hex) != busy.npos; })
        .value_or("none");
  }

  KnownBlobs known_;
};

TEST_F(KnownBlobsTest, TheOldestIsTheOneUsedLongestAgo) {
  EXPECT_EQ(oldest(), "none");
  known_.use("a", blob(1));
  known_.use("b", blob(2));
  EXPECT_EQ(oldest(), "a");
  known_.use("a", blob(1));
  EXPECT_EQ(oldest(), "b");
  EXPECT_EQ(known_.size(), 2u);
}

TEST_F(KnownBlobsTest, TheBusyAreNotTheOldest) {
  known_.use("a", blob(1));
  known_.use("b", blob(2));
  known_.use("c", blob(3));
  EXPECT_EQ(oldest("ab"), "c");
  EXPECT_EQ(oldest("abc"), "none");
  EXPECT_EQ(known_.size(), 3u);
}

TEST_F(KnownBlobsTest, AreFoundByHashAndByDigestUntilTheyAreErased) {
  known_.use("a", blob(1));
  known_.use("b", blob(2));
  known_.use("other lengths", blob(2));
  ASSERT_NE(known_.find("a"), nullptr);
  EXPECT_EQ(known_.find("a")->size, 1u);
  EXPECT_EQ(known_.of(blob(2).digest).size(), 2u);
  known_.erase("b");
  known_.erase("never there");
  EXPECT_EQ(known_.find("b"), nullptr);
  EXPECT_EQ(known_.of(blob(2).digest), std::vector<std::string>{"other lengths"});
  EXPECT_TRUE(known_.of(blob(3).digest).empty());
  EXPECT_EQ(known_.size(), 2u);
}

}  // namespace
}  // namespace convoy::registry
