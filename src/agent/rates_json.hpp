#pragma once

#include <string>
#include <string_view>

#include "agent/service.hpp"

namespace convoy::agent {

/// {"upload":…,"upload_per_peer":…,…} in bytes per second, 0 for no limit.
std::string to_json(const AgentRates&);
/// Those with what `order`, an object with some of the members, changes. Errors (invalid)
/// "json_invalid", "order_invalid" with the member at fault.
Result<AgentRates> changed(AgentRates, std::string_view order);

}  // namespace convoy::agent
