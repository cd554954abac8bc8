#include "crypto/hmac.hpp"

#include <openssl/hmac.h>

#include "crypto/ossl.hpp"

namespace convoy::crypto {

Hash256 hmac_sha256(ByteView key, ByteView message) {
  // OpenSSL takes a null key for "as before".
  static constexpr std::uint8_t kNoKey = 0;
  const std::uint8_t* raw = key.empty() ? &kNoKey : key.data();
  Hash256 out;
  unsigned int size = 0;
  detail::must(HMAC(detail::sha256_md(), raw, static_cast<int>(key.size()), message.data(),
                    message.size(), out.data(), &size));
  detail::must(size == out.size());
  return out;
}

}  // namespace convoy::crypto
