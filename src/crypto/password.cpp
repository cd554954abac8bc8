#include "crypto/password.hpp"

#include <argon2.h>
#include <charconv>
#include <crypt.h>
#include <memory>
#include <openssl/crypto.h>
#include <optional>

#include "base/bytes.hpp"

namespace convoy::crypto {
namespace {

constexpr std::size_t kMaxPasswordBytes = 1024;
constexpr std::size_t kMaxHashBytes = 512;

constexpr int kMinBcryptCost = 10;
constexpr int kMaxBcryptCost = 14;  // about a second

constexpr std::uint32_t kMinArgonMemory = 19456;  // KiB
constexpr std::uint32_t kMinArgonPasses = 2;
constexpr std::uint32_t kMaxArgonMemory = 256 * 1024;  // KiB
constexpr std::uint64_t kMaxArgonWork = 1024 * 1024;   // memory in KiB times passes
constexpr std::uint32_t kMaxArgonLanes = 8;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kTagBytes = 32;

struct Argon {
  argon2_type type;
  std::uint32_t memory;
  std::uint32_t passes;
  std::uint32_t lanes;
};

bool eat(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool eat_number(std::string_view& text, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// The parameters of "$argon2id$v=19$m=…,t=…,p=…$salt$tag"; salt and tag are libargon2's to read.
std::optional<Argon> parse_argon(std::string_view text) {
  Argon a{};
  if (eat(text, "$argon2id$")) {
    a.type = Argon2_id;
  } else if (eat(text, "$argon2i$")) {
    a.type = Argon2_i;
  } else {
    return std::nullopt;
  }
  const bool good = eat(text, "v=19$m=") && eat_number(text, a.memory) && eat(text, ",t=") &&
                    eat_number(text, a.passes) && eat(text, ",p=") && eat_number(text, a.lanes) &&
                    eat(text, "$");
  return good ? std::optional(a) : std::nullopt;
}

bool bearable(const Argon& a) {
  return a.memory <= kMaxArgonMemory && a.lanes <= kMaxArgonLanes &&
         std::uint64_t{a.memory} * a.passes <= kMaxArgonWork;
}

/// The cost of "$2b$NN$" and 53 characters of salt and hash.
std::optional<int> parse_bcrypt(std::string_view text) {
  if (text.size() != 60 || text[6] != '$') return std::nullopt;
  if (!text.starts_with("$2a$") && !text.starts_with("$2b$") && !text.starts_with("$2y$")) {
    return std::nullopt;
  }
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digit(text[4]) || !digit(text[5])) return std::nullopt;
  for (const char c : text.substr(7)) {
    const bool good =
        digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
    if (!good) return std::nullopt;
  }
  return (text[4] - '0') * 10 + (text[5] - '0');
}

bool verify_bcrypt(std::string_view password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();
  const std::string text(password);
  const char* made = crypt_r(text.c_str(), hash.c_str(), data.get());
  const bool same = made != nullptr && constant_time_equal(as_bytes(made), as_bytes(hash));
  OPENSSL_cleanse(const_cast<char*>(text.data()), text.size());
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return same;
}

}  // namespace

bool verify_password(const Secret& password, std::string_view hash) {
  const auto text = password.reveal();
  // bcrypt reads a C string: all after a NUL would not count.
  if (text.size() > kMaxPasswordBytes || text.find('\0') != std::string_view::npos) return false;
  if (hash.size() > kMaxHashBytes || hash.find('\0') != std::string_view::npos) return false;
  const std::string encoded(hash);
  if (const auto argon = parse_argon(hash)) {
    return bearable(*argon) &&
           argon2_verify(encoded.c_str(), text.data(), text.size(), argon->type) == ARGON2_OK;
  }
  const auto cost = parse_bcrypt(hash);
  return cost && *cost <= kMaxBcryptCost && verify_bcrypt(text, encoded);
}

bool acceptable_hash(std::string_view hash) {
  if (hash.size() > kMaxHashBytes) return false;
  if (const auto argon = parse_argon(hash)) {
    return bearable(*argon) && argon->memory >= kMinArgonMemory &&
           argon->passes >= kMinArgonPasses && argon->lanes >= 1;
  }
  const auto cost = parse_bcrypt(hash);
  return cost && *cost >= kMinBcryptCost && *cost <= kMaxBcryptCost;
}

std::string hash_password(const Secret& password, Random& random) {
  std::array<std::uint8_t, kSaltBytes> salt;
  random.fill(salt);
  const auto text = password.reveal();
  std::string out(
      argon2_encodedlen(kMinArgonPasses, kMinArgonMemory, 1, kSaltBytes, kTagBytes, Argon2_id),
      '\0');
  const int rc =
      argon2id_hash_encoded(kMinArgonPasses, kMinArgonMemory, 1, text.data(), text.size(),
                            salt.data(), salt.size(), kTagBytes, out.data(), out.size());
  if (rc != ARGON2_OK) std::abort();
  out.resize(out.find('\0'));
  return out;
}

}  // namespace convoy::crypto
