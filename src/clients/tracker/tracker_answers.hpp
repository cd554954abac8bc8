#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "clients/tracker/tracker_client.hpp"

// The JSON answers of docs/protocols/tracker-api.md as values. A wrong shape is
// "tracker_answer_invalid" (unavailable): the other side is no tracker, or another version.
namespace convoy::clients {

inline constexpr std::size_t kMaxTrackerAnswer = 1024 * 1024;

/// The error that an answer with this status and body stands for. The code is the body's when it is
/// well-formed, else "tracker_error".
Error tracker_error(int status, std::string_view body);

Result<Enrolment> parse_enrolment(std::string_view body);
/// At most 1,000 peers; an address must be a port and a text without blanks. Ticket and metadata
/// may be left out where the info-hash is `known`.
Result<TicketReply> parse_ticket_reply(std::string_view body,
                                       const std::optional<bt::InfoHash>& known = {});
Result<std::chrono::seconds> parse_interval(std::string_view body);

/// Bencoded; a "failure reason" is denied "announce_refused" with the reason in the detail.
Result<bt::AnnounceReply> parse_announce_answer(std::string_view body);

}  // namespace convoy::clients
