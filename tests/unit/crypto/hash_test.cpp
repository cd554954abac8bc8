#include "crypto/hash.hpp"

#include <gtest/gtest.h>
#include <thread>

#include "wire/bt/merkle.hpp"

namespace convoy::crypto {
namespace {

std::string hex(const Hash256& h) { return to_hex(h); }

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, APairIsTheHashOfBothInARow) {
  const Hash256 left = sha256(as_bytes("left"));
  const Hash256 right = sha256(as_bytes("right"));
  Bytes both = to_bytes(left);
  both.insert(both.end(), right.begin(), right.end());
  EXPECT_EQ(sha256_pair(left, right), sha256(both));
  EXPECT_NE(sha256_pair(left, right), sha256_pair(right, left));
}

TEST(Sha256, ThreadsDoNotDisturbEachOther) {
  const Hash256 expected = sha256(as_bytes("abc"));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) wrong += sha256(as_bytes("abc")) != expected;
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Hasher, IncrementalEqualsWholeForBothAlgorithms) {
  const auto h256 = make_hasher(oci::DigestAlgorithm::sha256);
  h256->update(as_bytes("a"));
  h256->update({});
  h256->update(as_bytes("bc"));
  EXPECT_EQ(h256->finish(), to_bytes(sha256(as_bytes("abc"))));
  const auto h512 = make_hasher(oci::DigestAlgorithm::sha512);
  h512->update(as_bytes("abc"));
  EXPECT_EQ(to_hex(h512->finish()),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

constexpr std::size_t kBlock = 16 * 1024;

Bytes pattern(std::size_t n) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + i / 251);
  return out;
}

std::vector<Hash256> leaves_of(ByteView data) {
  std::vector<Hash256> out;
  for (; !data.empty(); data = data.subspan(std::min(kBlock, data.size()))) {
    out.push_back(sha256(data.first(std::min(kBlock, data.size()))));
  }
  return out;
}

class Leaves : public testing::TestWithParam<std::size_t> {};

TEST_P(Leaves, AreThoseOfEachBlockWhateverTheChunks) {
  const Bytes data = pattern(GetParam());
  const auto expected = leaves_of(data);
  for (const std::size_t chunk : {std::size_t{1000}, kBlock - 1, kBlock, kBlock + 1, 3 * kBlock}) {
    MerkleLeaves leaves;
    for (ByteView rest = data; !rest.empty();) {
      const std::size_t n = std::min(chunk, rest.size());
      leaves.update(rest.first(n));
      rest = rest.subspan(n);
    }
    EXPECT_EQ(leaves.finish(), expected) << chunk;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Leaves,
                         testing::Values(0, 1, kBlock - 1, kBlock, kBlock + 1, 2 * kBlock,
                                         5 * kBlock + 7));

}  // namespace
}  // namespace convoy::crypto
