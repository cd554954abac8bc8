#include "crypto/signer_trust.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace convoy::crypto {
namespace {

constexpr std::size_t kMostKnown = 16;

/// Of the certificates and where each ends.
Hash256 name_of(const std::vector<Bytes>& x5c) {
  Bytes all;
  for (const auto& der : x5c) {
    const Hash256 one = sha256(der);
    all.insert(all.end(), one.begin(), one.end());
  }
  return sha256(all);
}

Result<std::vector<Certificate>> certificates(const std::vector<Bytes>& x5c) {
  if (x5c.empty()) return unauthorized("token_chain", "no x5c");
  std::vector<Certificate> out;
  for (const auto& der : x5c) {
    auto cert = Certificate::from_der(der);
    if (!cert) return unauthorized("token_chain", cert.error().detail());
    out.push_back(*cert);
  }
  return out;
}

}  // namespace

Result<PublicKey> SignerTrust::key_of(const std::vector<Bytes>& x5c, UnixTime now) {
  const Hash256 name = name_of(x5c);
  if (auto key = find(name, now)) return *std::move(key);
  auto chain = certificates(x5c);
  if (!chain) return std::move(chain).error();
  const Certificate leaf = chain->front();
  chain->erase(chain->begin());
  auto validity = verify_chain(leaf, *chain, roots_, use_, now);
  if (!validity) return std::move(validity).error();
  PublicKey key = leaf.public_key();
  remember({name, *validity, key});
  return key;
}

std::optional<PublicKey> SignerTrust::find(const Hash256& chain, UnixTime now) {
  const std::lock_guard lock(mutex_);
  const auto it = std::find_if(known_.begin(), known_.end(), [&](const Known& k) {
    return k.chain == chain && k.validity.covers(now);
  });
  if (it == known_.end()) return std::nullopt;
  return it->key;
}

void SignerTrust::remember(Known one) {
  const std::lock_guard lock(mutex_);
  if (known_.size() < kMostKnown) {
    known_.push_back(std::move(one));
  } else {
    known_[next_++ % kMostKnown] = std::move(one);
  }
}

}  // namespace convoy::crypto
