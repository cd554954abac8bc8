#pragma once

#include <optional>

#include "base/result.hpp"

namespace convoy::clients {

/// What a registry's answer to a blob request means; nothing for 200 and 206.
std::optional<Error> registry_refusal(int status);

/// The transport's error as a caller may see it: unavailable "registry_unavailable", unless it is
/// a cancellation.
Error registry_unreachable(const Error& cause);

}  // namespace convoy::clients
