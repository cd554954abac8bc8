#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "crypto/certificate.hpp"

namespace convoy::crypto {
namespace {

using namespace std::chrono_literals;

// Keys and certificates are shared by shards and workers without a lock.
TEST(Threads, MayShareKeysAndCertificates) {
  constexpr UnixTime kNow{std::chrono::seconds(1767323045)};
  SystemRandom random;
  CertSpec spec;
  spec.common_name = "root";
  spec.use = CertUse::ca;
  spec.not_before = kNow - 1h;
  spec.not_after = kNow + 1h;
  const auto ca_key = PrivateKey::generate();
  const auto ca = self_sign(spec, ca_key, random);
  spec.common_name = "leaf";
  spec.use = CertUse::node;
  const auto key = PrivateKey::generate();
  const auto leaf = Certificate::from_der(issue(spec, key.public_key(), ca, ca_key, random).der());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const Bytes signature = key.sign(as_bytes("message"));
        wrong += !leaf->public_key().verify(as_bytes("message"), signature);
        wrong += !verify_chain(*leaf, {}, {ca}, CertUse::node, kNow);
        wrong += leaf->thumbprint() != Certificate(*leaf).thumbprint();
        wrong += leaf->is_ca();
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace convoy::crypto
