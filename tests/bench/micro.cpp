#include <benchmark/benchmark.h>

#include "base/random.hpp"
#include "crypto/blob_hasher.hpp"
#include "crypto/hash.hpp"
#include "crypto/sha256_blocks.hpp"
#include "wire/bt/merkle.hpp"
#include "wire/bt/message.hpp"
#include "wire/http/message.hpp"
#include "wire/http/range.hpp"

namespace convoy {
namespace {

Bytes random_bytes(std::size_t n) {
  Bytes out(n);
  SeededRandom random(1);
  random.fill(out);
  return out;
}

void count_bytes(benchmark::State& state, std::size_t each) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(each));
}

void sha256_of_a_block(benchmark::State& state) {
  const Bytes block = random_bytes(bt::kBlockSize);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::sha256(block));
  count_bytes(state, block.size());
}
BENCHMARK(sha256_of_a_block);

enum class Way { openssl, sha_ni };

const crypto::detail::ShaBlocks* blocks_of(Way way) {
  return way == Way::openssl ? &crypto::detail::openssl_blocks() : crypto::detail::sha_ni_blocks();
}

/// Bytes per second are those of the input; `same` hashes each of them twice.
template <Way way>
void compress_one(benchmark::State& state) {
  const auto* blocks = blocks_of(way);
  if (blocks == nullptr) return state.SkipWithError("not on this CPU");
  const Bytes data = random_bytes(256 << 10);
  auto words = crypto::detail::kShaStart;
  for (auto _ : state) blocks->one(words, data.data(), data.size() / 64);
  count_bytes(state, data.size());
}
BENCHMARK_TEMPLATE(compress_one, Way::openssl);
BENCHMARK_TEMPLATE(compress_one, Way::sha_ni);

template <Way way>
void compress_the_same_twice(benchmark::State& state) {
  const auto* blocks = blocks_of(way);
  if (blocks == nullptr) return state.SkipWithError("not on this CPU");
  const Bytes data = random_bytes(256 << 10);
  auto a = crypto::detail::kShaStart;
  auto b = a;
  for (auto _ : state) blocks->same(a, b, data.data(), data.size() / 64);
  count_bytes(state, data.size());
}
BENCHMARK_TEMPLATE(compress_the_same_twice, Way::openssl);
BENCHMARK_TEMPLATE(compress_the_same_twice, Way::sha_ni);

template <Way way>
void compress_two(benchmark::State& state) {
  const auto* blocks = blocks_of(way);
  if (blocks == nullptr) return state.SkipWithError("not on this CPU");
  const Bytes data = random_bytes(256 << 10);
  const std::size_t half = data.size() / 2;
  auto a = crypto::detail::kShaStart;
  auto b = a;
  for (auto _ : state) blocks->two(a, b, data.data(), data.data() + half, half / 64);
  count_bytes(state, data.size());
}
BENCHMARK_TEMPLATE(compress_two, Way::openssl);
BENCHMARK_TEMPLATE(compress_two, Way::sha_ni);

void merkle_leaves(benchmark::State& state) {
  const Bytes data = random_bytes(8 << 20);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::merkle_leaves(data));
  count_bytes(state, data.size());
}
BENCHMARK(merkle_leaves);

void merkle_leaves_and_digest_in_one_pass(benchmark::State& state) {
  const Bytes data = random_bytes(8 << 20);
  for (auto _ : state) {
    crypto::BlobHasher hasher(oci::DigestAlgorithm::sha256);
    hasher.update(data);
    benchmark::DoNotOptimize(hasher.take_leaves());
    benchmark::DoNotOptimize(hasher.digest());
  }
  count_bytes(state, data.size());
}
BENCHMARK(merkle_leaves_and_digest_in_one_pass);

void root_of_a_gibibyte(benchmark::State& state) {
  const std::vector<Hash256> leaves((1ULL << 30) / bt::kBlockSize, Hash256{1});
  for (auto _ : state) benchmark::DoNotOptimize(bt::root_of_leaves(leaves, crypto::sha256_pair));
}
BENCHMARK(root_of_a_gibibyte);

void decode_a_block(benchmark::State& state) {
  const Bytes data = random_bytes(bt::kBlockSize);
  Bytes wire;
  bt::encode(bt::Message(bt::PieceBlock{1, 0, data}), wire);
  for (auto _ : state) benchmark::DoNotOptimize(bt::decode_message(wire));
}
BENCHMARK(decode_a_block);

void decode_a_have(benchmark::State& state) {
  Bytes wire;
  bt::encode(bt::Message(bt::Have{7}), wire);
  for (auto _ : state) benchmark::DoNotOptimize(bt::decode_message(wire));
}
BENCHMARK(decode_a_have);

void parse_a_blob_target(benchmark::State& state) {
  const std::string target =
      "/v2/team/app/blobs/sha256:" + std::string(64, 'a') + "?ns=registry.example";
  for (auto _ : state) benchmark::DoNotOptimize(http::parse_target(target));
}
BENCHMARK(parse_a_blob_target);

void parse_a_range(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(http::parse_range("bytes=500-1499", 1 << 20));
}
BENCHMARK(parse_a_range);

}  // namespace
}  // namespace convoy
