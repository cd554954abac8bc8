#include "agent/fetch/blob_digest.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "crypto/hash.hpp"

namespace convoy::agent {
namespace {

using oci::DigestAlgorithm;

/// A file whose bytes cannot be read from `broken_from` on; `before_read` may do something.
class FakeFile final : public storage::PieceFile {
 public:
  explicit FakeFile(std::size_t size) : bytes(size) {
    SeededRandom random(3);
    random.fill(bytes);
  }
  const bt::BlobMeta& meta() const override { return meta_; }
  Status read_at(std::uint64_t offset, MutableByteView out) const override {
    if (before_read) before_read();
    if (offset + out.size() > broken_from) return internal_error("blob_read");
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  bool read_now(std::uint64_t, MutableByteView) const override { return false; }
  Status write_at(std::uint64_t, ByteView) override { return {}; }
  Status mark_piece(std::uint32_t) override { return {}; }
  std::vector<bool> pieces() const override { return {}; }
  Status clear_piece(std::uint32_t) override { return {}; }
  int fd() const override { return -1; }

  Bytes digest(DigestAlgorithm algorithm, std::size_t size) const {
    const auto hasher = crypto::make_hasher(algorithm);
    hasher->update(ByteView(bytes).first(size));
    return hasher->finish();
  }

  Bytes bytes;
  std::uint64_t broken_from = UINT64_MAX;
  std::function<void()> before_read;

 private:
  bt::BlobMeta meta_{.digest = oci::Digest::sha256({})};
};

TEST(BlobDigestTest, GoesOnWithWhatIsAtHandAndWithWhatIsInTheFile) {
  const FakeFile file(1'000'000);
  BlobDigest digest(DigestAlgorithm::sha256);
  auto state = digest.at(0);
  ASSERT_TRUE(state.has_value());
  state->update(ByteView(file.bytes).first(65536));
  digest.advance(*state);
  EXPECT_EQ(digest.size(), 65536U);
  ASSERT_TRUE(digest.read_on(file, 700'000).ok());
  EXPECT_EQ(digest.size(), 700'000U);
  state = digest.at(700'000);
  ASSERT_TRUE(state.has_value());
  state->update(ByteView(file.bytes).subspan(700'000));
  digest.advance(*state);
  EXPECT_EQ(digest.finish(), file.digest(DigestAlgorithm::sha256, file.bytes.size()));
}

TEST(BlobDigestTest, IsGivenForItsOwnPlaceAlone) {
  const FakeFile file(1000);
  BlobDigest digest(DigestAlgorithm::sha256);
  ASSERT_TRUE(digest.read_on(file, 128).ok());
  EXPECT_FALSE(digest.at(0).has_value());
  EXPECT_FALSE(digest.at(127).has_value());
  EXPECT_TRUE(digest.at(128).has_value());
  EXPECT_FALSE(digest.at(129).has_value());
}

TEST(BlobDigestTest, NeverGoesBack) {
  const FakeFile file(1000);
  BlobDigest digest(DigestAlgorithm::sha256);
  auto early = digest.at(0).value();
  early.update(ByteView(file.bytes).first(64));
  ASSERT_TRUE(digest.read_on(file, 500).ok());
  digest.advance(early);
  EXPECT_EQ(digest.size(), 500U);
  ASSERT_TRUE(digest.read_on(file, 100).ok());
  EXPECT_EQ(digest.finish(), file.digest(DigestAlgorithm::sha256, 500));
}

TEST(BlobDigestTest, MayBeTakenAlongWhileTheFileIsRead) {
  FakeFile file(1000);
  BlobDigest digest(DigestAlgorithm::sha256);
  file.before_read = [&] {
    auto state = digest.at(0);
    if (!state) return;
    state->update(file.bytes);
    digest.advance(*state);
  };
  ASSERT_TRUE(digest.read_on(file, 600).ok());
  EXPECT_EQ(digest.size(), 1000U);
  EXPECT_EQ(digest.finish(), file.digest(DigestAlgorithm::sha256, 1000));
}

TEST(BlobDigestTest, StaysWhereItWasWhenTheFileCannotBeRead) {
  FakeFile file(600'000);
  file.broken_from = 300'000;
  BlobDigest digest(DigestAlgorithm::sha256);
  EXPECT_EQ(digest.read_on(file, 600'000).error().code(), "blob_read");
  EXPECT_EQ(digest.size(), 0U);
}

TEST(BlobDigestTest, OfSha512IsReadFromTheFile) {
  const FakeFile file(600'000);
  BlobDigest digest(DigestAlgorithm::sha512);
  EXPECT_FALSE(digest.at(0).has_value());
  ASSERT_TRUE(digest.read_on(file, 1000).ok());
  ASSERT_TRUE(digest.read_on(file, 600'000).ok());
  EXPECT_EQ(digest.size(), 600'000U);
  EXPECT_EQ(digest.finish(), file.digest(DigestAlgorithm::sha512, 600'000));
}

}  // namespace
}  // namespace convoy::agent
