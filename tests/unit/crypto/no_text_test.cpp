#include <gtest/gtest.h>

#include "crypto/certificate.hpp"
#include "crypto/key.hpp"

namespace convoy::crypto {
namespace {

// A view of nothing has no address, which OpenSSL's memory source takes for a fault.
TEST(NoText, IsRefusedByEveryReader) {
  EXPECT_FALSE(Certificate::from_pem({}));
  EXPECT_FALSE(Certificate::chain_from_pem({}));
  EXPECT_FALSE(Certificate::from_der({}));
  EXPECT_FALSE(csr_public_key({}));
  EXPECT_FALSE(PrivateKey::from_pem(Secret()));
  EXPECT_FALSE(PublicKey::from_spki({}));
}

}  // namespace
}  // namespace convoy::crypto
