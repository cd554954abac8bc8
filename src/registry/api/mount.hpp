#pragma once

#include <optional>
#include <string>

#include "registry/api/context.hpp"

namespace convoy::registry {

/// Links a blob of another repository to the one of the call (distribution-spec, "Mounting a blob
/// from another repository"): of `from`, or, without it, of any that the token of the caller lets
/// it read or that everyone may read. A digest alone opens nothing (CVE-2024-39897): false when no
/// such repository has it.
net::Task<Result<bool>> try_mount(Context&, Call&, oci::Digest, std::optional<std::string> from);

}  // namespace convoy::registry
