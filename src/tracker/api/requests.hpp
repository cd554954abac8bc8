#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "security/identity/spiffe.hpp"
#include "tracker/authority/calls.hpp"

// Bodies of docs/protocols/tracker-api.md to values. Unknown members are ignored. Errors
// (invalid): "json_invalid", "body_invalid" with the member, and those of the members' own parsers.
namespace convoy::tracker {

Result<EnrolCall> parse_enrol(std::string_view body);
/// The CSR's PEM text.
Result<std::string> parse_renew(std::string_view body);
Result<TicketCall> parse_ticket(std::string_view body);
Result<ReportCall> parse_report(std::string_view body);
Result<OriginCall> parse_origin(std::string_view body);

}  // namespace convoy::tracker
