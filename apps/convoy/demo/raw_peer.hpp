#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "net/stream.hpp"
#include "net/tls.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::demo {

/// What a stranger brings to a peer's door.
struct Approach {
  net::Endpoint target;
  bool tls = true;
  std::optional<net::TlsIdentity> identity;
  std::string roots_pem;  ///< the cluster's root, which is no secret
  std::string ticket;     ///< "" for none
  bt::InfoHash info_hash{};
};

struct ApproachResult {
  std::uint64_t payload_bytes = 0;  ///< of piece messages
  std::string end;                  ///< how it ended, for the table
};

/// Dials a peer like a BitTorrent client that respects no rules: handshakes, then asks for blocks
/// at once, and counts the payload it gets until the other side hangs up (or 8 s).
net::Task<ApproachResult> approach(net::Executor, Approach);

}  // namespace convoy::demo
