#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "crypto/certificate.hpp"

namespace convoy::security {

enum class NodeKind : std::uint8_t { node, origin, tracker };

/// "node", "origin", "tracker".
std::string_view to_string(NodeKind);
std::optional<NodeKind> parse_node_kind(std::string_view);

/// The name of a machine: spiffe://<trust domain>/cluster/<cluster>/<kind>/<name>.
/// Each part holds [a-z0-9.-], begins and ends with a letter or digit and has no "..".
/// At most 253 characters for trust domain and name, 63 for the cluster.
struct SpiffeId {
  std::string trust_domain;
  std::string cluster;
  NodeKind kind = NodeKind::node;
  std::string name;

  /// Error "spiffe_id_invalid".
  static Result<SpiffeId> parse(std::string_view);
  /// From parts that are not known to be valid. Error "spiffe_id_invalid".
  static Result<SpiffeId> make(std::string_view trust_domain, std::string_view cluster, NodeKind,
                               std::string_view name);
  std::string str() const;
  auto operator<=>(const SpiffeId&) const = default;
};

/// The identity a certificate carries: its only URI name, which must be a SpiffeId. The chain is
/// the caller's to check (TLS does). Error (unauthorized) "spiffe_id_invalid".
Result<SpiffeId> spiffe_of(const crypto::Certificate&);

}  // namespace convoy::security
