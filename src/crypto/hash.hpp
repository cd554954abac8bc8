#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/hasher.hpp"
#include "crypto/merkle_leaves.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::crypto {

Hash256 sha256(ByteView);
Hash256 sha256_pair(const Hash256& left, const Hash256& right);

std::unique_ptr<Hasher> make_hasher(oci::DigestAlgorithm);

}  // namespace convoy::crypto
