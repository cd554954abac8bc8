#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/task.hpp"
#include "wire/bt/announce.hpp"
#include "wire/bt/metadata.hpp"
#include "wire/bt/zone.hpp"
#include "wire/oci/digest.hpp"
#include "wire/oci/reference.hpp"

// The tracker as its clients see it (docs/protocols/tracker-api.md).
namespace convoy::clients {

struct RegistryTrust {
  std::string host;  ///< as in image references
  std::string issuer;
  std::string roots_pem;
};

struct Enrolment {
  std::string id;         ///< SPIFFE id
  std::string chain_pem;  ///< leaf and issuing CA
  std::string root_pem;   ///< the cluster's root
  std::string cluster;
  std::string trust_domain;
  bt::Zone zone{};  ///< fixed by the join token; the common one: as the node says
  std::vector<RegistryTrust> registries;
};

struct EnrolRequest {
  Secret token;
  std::string name;
  std::string csr_pem;
  bt::Zone zone{};
};

struct TicketRequest {
  std::string registry;                     ///< host
  std::optional<oci::RepoName> repository;  ///< none for an origin
  oci::Digest digest;
  std::optional<Secret> authorization;  ///< the user's whole Authorization header value
  std::vector<std::string> act;
  std::uint16_t port = 0;
  std::string request_id;
  bt::Zone zone{};
  /// The swarm this node is in with a ticket that will do: only peers are wanted.
  std::optional<bt::InfoHash> known{};
};

struct TicketPeer {
  bt::PeerEndpoint address;
  bool origin = false;
};

struct TicketReply {
  std::string ticket;  ///< "", with metadata "" and expires_in 0: info_hash is TicketRequest::known
  std::chrono::seconds expires_in{0};
  std::string metadata;   ///< compact JWS, to be verified
  std::string info_hash;  ///< 64 hex, to be compared with one's own
  std::chrono::seconds interval{30};
  bt::Zone zone{};  ///< as it stands in the ticket
  std::uint32_t zone_index = 0, zone_count = 1;
  std::vector<TicketPeer> peers;
};

/// Where a registry's origin seeder listens; its IP is the connection's.
struct OriginRegistration {
  std::string registry;  ///< host
  std::uint16_t port = 0;
  std::string request_id;
  bt::Zone zone{};
};

struct PeerReport {
  std::string info_hash;
  std::string node;
  std::string reason;
  std::uint32_t piece = 0;
  std::uint32_t count = 1;  ///< bad pieces since the last report
};

/// Errors of the tracker's answers carry its code and the class of the status;
/// "tracker_unreachable" (unavailable) is everything that keeps an answer from coming. One thread.
class TrackerClient {
 public:
  virtual ~TrackerClient() = default;
  virtual net::Task<Result<Enrolment>> enrol(EnrolRequest, Deadline) = 0;
  virtual net::Task<Result<Enrolment>> renew(std::string csr_pem, Deadline) = 0;
  /// Keeps a connection open for the next question, which is left to find trouble.
  virtual net::Task<void> hello(Deadline) = 0;
  virtual net::Task<Result<TicketReply>> ticket(TicketRequest, Deadline) = 0;
  /// A refusal ("failure reason") is denied "announce_refused".
  virtual net::Task<Result<bt::AnnounceReply>> announce(bt::AnnounceRequest, Deadline) = 0;
  /// For kind origin: makes the tracker hand this node out for blobs of the registry. To be
  /// repeated at the interval that comes back; forgotten after three of them.
  virtual net::Task<Result<std::chrono::seconds>> register_origin(OriginRegistration, Deadline) = 0;
  virtual net::Task<Status> report(PeerReport, Deadline) = 0;
};

}  // namespace convoy::clients
