#pragma once

#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/secret.hpp"

namespace convoy::crypto {

/// Checks a password against a PHC argon2id/argon2i string or a bcrypt $2a/$2b/$2y hash.
/// Slow on purpose: call on a worker. An unknown format is never a match.
bool verify_password(const Secret& password, std::string_view hash);
/// Whether a users file may hold it: known format, and cost not below bcrypt 10 /
/// argon2 m=19456,t=2 nor so high that one check becomes an attack.
bool acceptable_hash(std::string_view hash);
/// argon2id, m=19456 KiB, t=2, p=1.
std::string hash_password(const Secret& password, Random&);

}  // namespace convoy::crypto
