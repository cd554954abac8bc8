#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/result.hpp"
#include "net/http_server.hpp"
#include "net/metrics.hpp"
#include "security/audit/audit.hpp"
#include "security/ca/revoked_nodes.hpp"
#include "tracker/api/call_limiter.hpp"
#include "tracker/authority/caller.hpp"
#include "tracker/authority/enrolment.hpp"
#include "tracker/authority/ticket_desk.hpp"

namespace convoy::tracker {

/// Who may call a route.
enum class Access : std::uint8_t {
  anybody,  ///< has its own proof in the body
  member,   ///< a certificate of the cluster, kind node or origin
};

struct Route {
  std::string_view method;
  std::string_view path;
  Access access;
  std::string_view action;  ///< for the audit log: "ticket" gives ticket.grant, ticket.refuse
  bool bencoded = false;    ///< refusals are BEP 3 "failure reason" with status 200
};

/// Every route there is, so that a test can walk them all.
std::span<const Route> routes();

/// The tracker's HTTP API: finds the route, demands the identity, reads the body, calls the one
/// that decides, and turns the outcome into answer, audit record and metric. One thread.
class Router {
 public:
  struct Parts {
    EnrolmentOffice& office;
    TicketDesk& desk;
    const Registries& registries;
    GrantTable& grants;
    PeerTable& peers;
    CallLimiter& limiter;
    ClusterIdentity cluster;
    const security::RevokedNames& revoked;
    std::chrono::seconds interval{30};
    std::size_t max_body = 64 * 1024;
    const Clock& clock;
    security::AuditLog& audit;
    std::shared_ptr<net::Metrics> metrics;
    Logger log;
  };

  explicit Router(Parts parts) : parts_(std::move(parts)) {}
  net::Task<void> handle(net::HttpExchange&);

 private:
  struct Call;
  struct Reply;

  net::Task<Result<Reply>> dispatch(net::HttpExchange&, Call&);
  net::Task<Result<Reply>> enrol(Call&);
  net::Task<Result<Reply>> tickets(Call&);
  static Result<Reply> hello(Call&);
  Result<Reply> renew(Call&);
  Result<Reply> origins(Call&);
  Result<Reply> reports(Call&);
  Result<Reply> announce(Call&);
  Result<Reply> scrape(Call&);
  void record(const Call&, const Result<Reply>&);

  Parts parts_;
};

}  // namespace convoy::tracker
