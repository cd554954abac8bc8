#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "clients/tracker/tracker_client.hpp"

namespace convoy::clients {

/// The in-memory twin for tests of agents and registries: each call is recorded and answered by
/// its function; without one the tracker is out of reach. One thread.
class MemoryTrackerClient final : public TrackerClient {
 public:
  std::function<Result<Enrolment>(const EnrolRequest&)> on_enrol;
  std::function<Result<Enrolment>(const std::string& csr_pem)> on_renew;
  std::function<Result<TicketReply>(const TicketRequest&)> on_ticket;
  std::function<Result<bt::AnnounceReply>(const bt::AnnounceRequest&)> on_announce;
  std::function<Result<std::chrono::seconds>(const OriginRegistration&)> on_origin;

  int hellos = 0;
  std::vector<std::string> enrolled;  ///< names
  std::vector<TicketRequest> tickets;
  std::vector<bt::AnnounceRequest> announces;
  std::vector<OriginRegistration> origins;
  std::vector<PeerReport> reports;

  net::Task<void> hello(Deadline) override {
    ++hellos;
    co_return;
  }
  net::Task<Result<Enrolment>> enrol(EnrolRequest request, Deadline) override {
    enrolled.push_back(request.name);
    if (!on_enrol) co_return unreachable();
    co_return on_enrol(request);
  }
  net::Task<Result<Enrolment>> renew(std::string csr_pem, Deadline) override {
    if (!on_renew) co_return unreachable();
    co_return on_renew(csr_pem);
  }
  net::Task<Result<TicketReply>> ticket(TicketRequest request, Deadline) override {
    tickets.push_back(request);
    if (!on_ticket) co_return unreachable();
    co_return on_ticket(request);
  }
  net::Task<Result<bt::AnnounceReply>> announce(bt::AnnounceRequest request, Deadline) override {
    announces.push_back(request);
    if (!on_announce) co_return unreachable();
    co_return on_announce(request);
  }
  net::Task<Result<std::chrono::seconds>> register_origin(OriginRegistration request,
                                                          Deadline) override {
    origins.push_back(request);
    if (!on_origin) co_return unreachable();
    co_return on_origin(request);
  }
  net::Task<Status> report(PeerReport request, Deadline) override {
    reports.push_back(std::move(request));
    co_return Status{};
  }

 private:
  static Error unreachable() { return unavailable("tracker_unreachable", "no answer is scripted"); }
};

}  // namespace convoy::clients
