#include "agent/proxy/local_ca.hpp"

#include <algorithm>

namespace convoy::agent {
namespace {

constexpr std::chrono::seconds kBackdate{300};

bool is_ip(const std::string& host) {
  return host.find(':') != std::string::npos || std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= '0' && c <= '9') || c == '.';
         });
}

}  // namespace

LocalCa LocalCa::create(const std::string& node_name, UnixTime now, Random& random) {
  auto key = crypto::PrivateKey::generate();
  crypto::CertSpec spec;
  // X.520 limits a common name to 64 characters.
  spec.common_name = ("Convoy proxy CA of " + node_name).substr(0, 64);
  spec.use = crypto::CertUse::ca;
  spec.path_length = 0;
  spec.not_before = now - kBackdate;
  spec.not_after = now + kLife;
  auto certificate = crypto::self_sign(spec, key, random);
  return LocalCa(std::move(certificate), std::move(key));
}

net::TlsIdentity LocalCa::leaf(const std::vector<std::string>& hosts, UnixTime now,
                               Random& random) const {
  const auto key = crypto::PrivateKey::generate();
  crypto::CertSpec spec;
  spec.common_name = hosts.front().substr(0, 64);
  for (const auto& host : hosts) (is_ip(host) ? spec.ips : spec.dns_names).push_back(host);
  spec.use = crypto::CertUse::server;
  spec.not_before = now - kBackdate;
  spec.not_after = now + kLeafLife;
  const auto certificate = crypto::issue(spec, key.public_key(), certificate_, key_, random);
  return {.chain_pem = crypto::chain_pem({certificate, certificate_}), .key_pem = key.to_pem()};
}

}  // namespace convoy::agent
