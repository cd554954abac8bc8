#include <benchmark/benchmark.h>

#include "base/random.hpp"
#include "crypto/hash.hpp"
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

void merkle_leaves_and_digest_in_one_pass(benchmark::State& state) {
  const Bytes data = random_bytes(8 << 20);
  for (auto _ : state) {
    crypto::MerkleLeaves leaves;
    const auto hasher = crypto::make_hasher(oci::DigestAlgorithm::sha256);
    leaves.update(data);
    hasher->update(data);
    benchmark::DoNotOptimize(leaves.finish());
    benchmark::DoNotOptimize(hasher->finish());
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
