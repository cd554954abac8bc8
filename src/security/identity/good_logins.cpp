#include "security/identity/good_logins.hpp"

#include "crypto/hash.hpp"

namespace convoy::security {
namespace {

constexpr Duration kRemember = std::chrono::seconds(60);
constexpr std::size_t kMaxRemembered = 1024;

}  // namespace

std::string GoodLogins::key_of(const Secret& login) const {
  const Secret salted(salt_ + std::string(login.reveal()));
  return to_hex(crypto::sha256(as_bytes(salted.reveal())));
}

bool GoodLogins::knows(const std::string& key, SteadyTime now) const {
  const auto found = until_.find(key);
  return found != until_.end() && now < found->second;
}

void GoodLogins::add(std::string key, SteadyTime now) {
  if (until_.size() >= kMaxRemembered) until_.clear();
  until_.insert_or_assign(std::move(key), now + kRemember);
}

}  // namespace convoy::security
