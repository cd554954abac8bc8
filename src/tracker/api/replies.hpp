#pragma once

#include <string>
#include <vector>

#include "clients/tracker/tracker_client.hpp"
#include "security/ca/authority.hpp"
#include "tracker/authority/enrolment.hpp"
#include "tracker/authority/ticket_desk.hpp"

// Bodies of answers (docs/protocols/tracker-api.md).
namespace convoy::tracker {

std::string enrolment_json(const Enrolled&, const security::ClusterAuthority&,
                           const std::vector<clients::RegistryTrust>&);
std::string ticket_json(const TicketGiven&);
std::string interval_json(std::chrono::seconds);

}  // namespace convoy::tracker
