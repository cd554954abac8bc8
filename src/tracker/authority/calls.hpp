#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/secret.hpp"
#include "crypto/certificate.hpp"
#include "security/identity/spiffe.hpp"
#include "security/token/ticket.hpp"
#include "wire/bt/metadata.hpp"
#include "wire/bt/zone.hpp"
#include "wire/oci/digest.hpp"
#include "wire/oci/reference.hpp"

// What callers ask of the tracker, as valid values.
namespace convoy::tracker {

struct EnrolCall {
  Secret token;
  std::string name;
  std::string csr_pem;
  bt::Zone zone;
};

struct TicketCall {
  std::string registry;  ///< host, a valid RegistryHost
  std::optional<oci::RepoName> repository;
  oci::Digest digest;
  std::optional<Secret> authorization;
  security::TicketActions act;
  std::uint16_t port = 0;  ///< 0: only ask, do not join
  bt::Zone zone{};
  std::optional<bt::InfoHash> known{};  ///< a swarm whose metadata and ticket the node has
};

struct ReportCall {
  bt::InfoHash info_hash{};
  std::string node;
  std::string reason;
  std::uint32_t piece = 0;
  std::uint32_t count = 1;
};

struct OriginCall {
  std::string registry;
  std::uint16_t port = 0;
  bt::Zone zone;
};

/// Who calls: from the verified client certificate and the connection, never from the request.
struct Caller {
  security::SpiffeId id;
  std::string node;  ///< id as text
  crypto::Certificate certificate;
  std::string ip;
};

}  // namespace convoy::tracker
