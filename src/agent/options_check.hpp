#pragma once

#include "agent/service.hpp"

namespace convoy::agent {

/// Whether the address is this machine's own alone.
bool is_loopback(std::string_view ip);

/// Everything about the options that can be judged without touching anything. Errors (invalid)
/// "agent_option_invalid", and "agent_listen_refused" for a listener that would be open to others.
Status check_options(const AgentOptions&);

}  // namespace convoy::agent
