#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "crypto/certificate.hpp"
#include "net/stream.hpp"
#include "tracker/authority/calls.hpp"

namespace convoy::tracker {

/// Whose nodes are let in.
struct ClusterIdentity {
  std::string trust_domain;
  std::string cluster;
  std::vector<crypto::Certificate> roots;
};

/// The node at the other end of the connection. The certificate is checked again at each call, for
/// a living or resumed connection may outlast it. Errors: unauthorized "certificate_required" and
/// those of verify_chain and spiffe_of; denied "identity_wrong_cluster", "identity_wrong_kind".
Result<Caller> identify(const std::optional<net::TlsInfo>&, const net::Endpoint& remote,
                        const ClusterIdentity&, UnixTime now);

/// An IPv4 address that came mapped into IPv6 (::ffff:a.b.c.d) as IPv4.
std::string plain_ip(std::string_view ip);

}  // namespace convoy::tracker
