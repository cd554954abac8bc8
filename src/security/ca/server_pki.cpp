#include "security/ca/server_pki.hpp"

#include <algorithm>
#include <arpa/inet.h>

#include "security/ca/authority.hpp"

namespace convoy::security {
namespace {

constexpr std::size_t kMaxNames = 64;

bool valid_ip(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool valid_dns(const std::string& text) {
  if (text.empty() || text.size() > 253) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

Status check_names(const ServerNames& names) {
  const std::size_t count = names.dns.size() + names.ips.size();
  if (count == 0 || count > kMaxNames) {
    return invalid("server_name_invalid", std::to_string(count) + " names");
  }
  for (const auto& dns : names.dns) {
    if (!valid_dns(dns)) return invalid("server_name_invalid", dns);
  }
  for (const auto& ip : names.ips) {
    if (!valid_ip(ip)) return invalid("server_name_invalid", ip);
  }
  return {};
}

}  // namespace

PemIdentity create_server_ca(std::string_view name, UnixTime now, Random& random) {
  crypto::CertSpec spec;
  spec.common_name = "Convoy server CA " + std::string(name.substr(0, 32));
  spec.use = crypto::CertUse::ca;
  spec.not_before = now - kBackdate;
  spec.not_after = now + std::chrono::hours(24 * 3650);
  const auto key = crypto::PrivateKey::generate();
  return {crypto::self_sign(spec, key, random).pem(), key.to_pem()};
}

Result<PemIdentity> issue_server(const PemIdentity& ca, const ServerNames& names, UnixTime now,
                                 std::chrono::seconds lifetime, Random& random) {
  const auto issuer = load_signer(ca);
  if (!issuer) return issuer.error();
  if (!issuer->chain.front().is_ca()) return invalid("identity_invalid", "not a CA");
  if (auto good = check_names(names); !good) return std::move(good).error();
  crypto::CertSpec spec;
  const std::string& first = names.dns.empty() ? names.ips.front() : names.dns.front();
  if (first.size() <= 64) spec.common_name = first;
  spec.dns_names = names.dns;
  spec.ips = names.ips;
  spec.use = crypto::CertUse::server;
  spec.not_before = now - kBackdate;
  spec.not_after = std::min(now + lifetime, issuer->chain.front().not_after());
  const auto key = crypto::PrivateKey::generate();
  const auto cert =
      crypto::issue(spec, key.public_key(), issuer->chain.front(), issuer->key, random);
  return PemIdentity{crypto::chain_pem({cert, issuer->chain.front()}), key.to_pem()};
}

}  // namespace convoy::security
