#pragma once

#include "agent/service.hpp"

namespace convoy::agent {

/// Everything about the options that can be judged without touching anything. Errors (invalid)
/// "agent_option_invalid", and "agent_listen_refused" for a listener that would be open to others.
Status check_options(const AgentOptions&);

}  // namespace convoy::agent
