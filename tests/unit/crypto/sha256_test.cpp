#include "crypto/sha256.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <vector>

#include "base/random.hpp"
#include "crypto/blob_hasher.hpp"
#include "crypto/hash.hpp"
#include "crypto/sha256_blocks.hpp"

namespace convoy::crypto {
namespace {

constexpr std::size_t kBlock = MerkleLeaves::kBlock;

Bytes noise(std::size_t n) {
  Bytes out(n);
  SeededRandom random(n + 1);
  random.fill(out);
  return out;
}

/// By the interface that knows nothing of ours.
Hash256 by_openssl(ByteView data) {
  Hash256 out;
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(data.data(), data.size(), out.data(), &size, EVP_sha256(), nullptr), 1);
  return out;
}

// FIPS 180-4 examples, and NIST's million letters.
TEST(Sha256Stream, KnownAnswers) {
  const auto hex = [](ByteView data) { return to_hex(sha256(data)); };
  EXPECT_EQ(hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(Bytes(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Stream, EveryLengthAroundABlockAgreesWithOpenSsl) {
  const Bytes data = noise(300);
  for (std::size_t n = 0; n <= data.size(); ++n) {
    EXPECT_EQ(sha256(ByteView(data).first(n)), by_openssl(ByteView(data).first(n))) << n;
  }
}

TEST(Sha256Stream, EverySplitIntoThreeAgrees) {
  const Bytes data = noise(197);
  const Hash256 expected = by_openssl(data);
  for (std::size_t a = 0; a <= data.size(); ++a) {
    for (std::size_t b = a; b <= data.size(); b += 13) {
      Sha256 hash;
      hash.update(ByteView(data).first(a));
      hash.update(ByteView(data).subspan(a, b - a));
      hash.update(ByteView(data).subspan(b));
      ASSERT_EQ(hash.finish(), expected) << a << " " << b;
    }
  }
}

TEST(Sha256Stream, RandomLengthsAndSplitsAgree) {
  SeededRandom random(7);
  const Bytes data = noise(200'000);
  for (int round = 0; round < 60; ++round) {
    const ByteView all = ByteView(data).first(random.next() % data.size());
    Sha256 hash;
    for (ByteView rest = all; !rest.empty();) {
      const std::size_t n = std::min<std::size_t>(rest.size(), random.next() % 5000);
      hash.update(rest.first(n));
      rest = rest.subspan(n);
    }
    EXPECT_EQ(hash.size(), all.size());
    EXPECT_EQ(hash.finish(), by_openssl(all)) << all.size();
  }
}

TEST(Sha256Stream, ACopyGoesOnByItselfAndFinishChangesNothing) {
  Sha256 hash;
  hash.update(as_bytes("abc"));
  Sha256 copy = hash;
  copy.update(as_bytes("def"));
  EXPECT_EQ(hash.finish(), by_openssl(as_bytes("abc")));
  EXPECT_EQ(hash.finish(), by_openssl(as_bytes("abc")));
  EXPECT_EQ(copy.finish(), by_openssl(as_bytes("abcdef")));
}

TEST(Sha256Stream, GoesOnFromItsWords) {
  const Bytes data = noise(1000);
  Sha256 first;
  first.update(ByteView(data).first(640));
  Sha256 second(first.words(), first.size());
  second.update(ByteView(data).subspan(640));
  EXPECT_EQ(second.finish(), by_openssl(data));
}

TEST(Sha256Stream, TwoAtOnceAgreeWhereverTheyStandInTheirBlocks) {
  const Bytes data = noise(400);
  for (const std::size_t head_a : {0U, 1U, 63U, 64U, 65U}) {
    for (const std::size_t head_b : {0U, 1U, 63U, 64U, 65U}) {
      for (const std::size_t n : {0U, 1U, 62U, 63U, 64U, 65U, 128U, 129U, 300U}) {
        Sha256 a;
        Sha256 b;
        a.update(ByteView(data).first(head_a));
        b.update(ByteView(data).first(head_b));
        Sha256::update_both(a, b, ByteView(data).subspan(100, n));
        Bytes all_a = to_bytes(ByteView(data).first(head_a));
        Bytes all_b = to_bytes(ByteView(data).first(head_b));
        all_a.insert(all_a.end(), data.begin() + 100, data.begin() + 100 + static_cast<long>(n));
        all_b.insert(all_b.end(), data.begin() + 100, data.begin() + 100 + static_cast<long>(n));
        EXPECT_EQ(a.finish(), by_openssl(all_a)) << head_a << " " << head_b << " " << n;
        EXPECT_EQ(b.finish(), by_openssl(all_b)) << head_a << " " << head_b << " " << n;
      }
    }
  }
}

TEST(Sha256Stream, TwoInputsOfOneLengthAgree) {
  for (const std::size_t n : {0U, 1U, 55U, 56U, 63U, 64U, 119U, 120U, 128U, 16384U}) {
    const Bytes a = noise(n);
    Bytes b = a;
    std::reverse(b.begin(), b.end());
    const auto both = sha256_of_two(a, b);
    EXPECT_EQ(both[0], by_openssl(a)) << n;
    EXPECT_EQ(both[1], by_openssl(b)) << n;
  }
}

TEST(Sha256StreamDeathTest, TwoInputsOfTwoLengthsEndTheProcess) {
  const Bytes data(65);
  EXPECT_DEATH(sha256_of_two(data, ByteView(data).first(64)), "");
}

TEST(Sha256StreamDeathTest, WordsFromWithinABlockEndTheProcess) {
  const Sha256 hash;
  EXPECT_DEATH(Sha256(hash.words(), 63), "");
  EXPECT_EQ(Sha256(hash.words(), 64).size(), 64U);
}

/// Both ways to compress, whichever this CPU would take.
class Sha256Blocks : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    blocks_ = GetParam() ? detail::sha_ni_blocks() : &detail::openssl_blocks();
    if (blocks_ == nullptr) GTEST_SKIP() << "this CPU has no SHA instructions: NOT TESTED here";
  }
  /// Whole blocks need no padding to be told apart.
  static detail::ShaWords expected(ByteView data) {
    detail::ShaWords words = detail::kShaStart;
    detail::openssl_blocks().one(words, data.data(), data.size() / detail::kShaBlock);
    return words;
  }

  const detail::ShaBlocks* blocks_ = nullptr;
};

TEST_P(Sha256Blocks, HashOneTwoAndTheSameTwiceAtAnyAddress) {
  const Bytes data = noise(64 * 40 + 16);
  for (const std::size_t count : {0U, 1U, 2U, 3U, 16U, 17U}) {
    for (const std::size_t shift : {0U, 1U, 7U}) {
      const ByteView a = ByteView(data).subspan(shift, count * 64);
      const ByteView b = ByteView(data).subspan(shift + 20 * 64, count * 64);
      detail::ShaWords x = detail::kShaStart;
      detail::ShaWords y = detail::kShaStart;
      blocks_->one(x, a.data(), count);
      EXPECT_EQ(x, expected(a)) << count;
      x = detail::kShaStart;
      blocks_->two(x, y, a.data(), b.data(), count);
      EXPECT_EQ(x, expected(a)) << count;
      EXPECT_EQ(y, expected(b)) << count;
      // Two that stand elsewhere in their streams.
      x = expected(ByteView(data).first(64));
      y = expected(ByteView(data).first(128));
      detail::ShaWords also_x = x;
      detail::ShaWords also_y = y;
      blocks_->same(x, y, a.data(), count);
      detail::openssl_blocks().one(also_x, a.data(), count);
      detail::openssl_blocks().one(also_y, a.data(), count);
      EXPECT_EQ(x, also_x) << count;
      EXPECT_EQ(y, also_y) << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(ByWay, Sha256Blocks, ::testing::Bool(),
                         [](const auto& i) { return i.param ? "ShaNi" : "OpenSsl"; });

TEST(MerkleLeavesTest, WithADigestAreTheSameAndTheDigestIsRight) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kBlock - 1, kBlock, kBlock + 1,
                                 2 * kBlock, 3 * kBlock + 100}) {
    const Bytes data = noise(size);
    const auto expected = merkle_leaves(data);
    for (const std::size_t chunk : {std::size_t{1000}, kBlock - 1, kBlock, 3 * kBlock}) {
      Sha256 digest;
      MerkleLeaves leaves;
      for (ByteView rest = data; !rest.empty();) {
        const std::size_t n = std::min(chunk, rest.size());
        leaves.update_with(digest, rest.first(n));
        rest = rest.subspan(n);
      }
      EXPECT_EQ(leaves.whole().size(), size / kBlock);
      EXPECT_EQ(digest.finish(), by_openssl(data)) << size << " " << chunk;
      EXPECT_EQ(leaves.finish(), expected) << size << " " << chunk;
    }
  }
}

TEST(BlobHasherTest, GivesDigestAndLeavesForBothAlgorithms) {
  for (const auto algorithm : {oci::DigestAlgorithm::sha256, oci::DigestAlgorithm::sha512}) {
    const Bytes data = noise(3 * kBlock + 5);
    BlobHasher hasher(algorithm);
    EXPECT_EQ(hasher.algorithm(), algorithm);
    for (ByteView rest = data; !rest.empty();) {
      const std::size_t n = std::min<std::size_t>(rest.size(), 777);
      hasher.update(rest.first(n));
      rest = rest.subspan(n);
    }
    EXPECT_EQ(hasher.size(), data.size());
    EXPECT_EQ(hasher.mark().has_value(), algorithm == oci::DigestAlgorithm::sha256);
    const auto whole = make_hasher(algorithm);
    whole->update(data);
    EXPECT_EQ(hasher.digest(), oci::Digest::of(algorithm, whole->finish()));
    EXPECT_EQ(hasher.take_leaves(), merkle_leaves(data));
  }
}

TEST(BlobHasherTest, GoesOnFromAMarkAtEveryEdgeOfABlock) {
  const Bytes data = noise(3 * kBlock + 5);
  for (const std::size_t stop : {std::size_t{0}, std::size_t{1}, kBlock - 1, kBlock, kBlock + 1,
                                 2 * kBlock - 1, 2 * kBlock, 3 * kBlock + 5}) {
    BlobHasher first(oci::DigestAlgorithm::sha256);
    first.update(ByteView(data).first(stop));
    const BlobHasher::Mark mark = first.mark().value();
    EXPECT_EQ(mark.size, stop / kBlock * kBlock);
    ASSERT_EQ(first.leaves().size(), stop / kBlock);
    BlobHasher second(mark, first.leaves());
    EXPECT_EQ(second.size(), mark.size);
    second.update(ByteView(data).subspan(static_cast<std::size_t>(mark.size)));
    EXPECT_EQ(second.digest(), oci::Digest::sha256(by_openssl(data))) << stop;
    EXPECT_EQ(second.take_leaves(), merkle_leaves(data)) << stop;
  }
}

TEST(BlobHasherDeathTest, LeavesThatDoNotFitTheMarkEndTheProcess) {
  const BlobHasher::Mark mark{kBlock, {}};
  EXPECT_DEATH(BlobHasher(mark, {}), "");
}

}  // namespace
}  // namespace convoy::crypto
