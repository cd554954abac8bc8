#include "clients/registry/registry_status.hpp"

#include <string>

namespace convoy::clients {

std::optional<Error> registry_refusal(int status) {
  switch (status) {
    case 200:
    case 206:
      return std::nullopt;
    case 401:
      return unauthorized("registry_unauthorized");
    case 403:
      return denied("registry_denied");
    case 404:
      return not_found("blob_unknown");
    case 416:
      return invalid("range_unsatisfiable");
    case 429:
      return exhausted("registry_busy");
    default:
      return unavailable("registry_unavailable", "answered " + std::to_string(status));
  }
}

Error registry_unreachable(const Error& cause) {
  if (cause.kind() == ErrorClass::cancelled) return cause;
  return unavailable("registry_unavailable", cause.text());
}

}  // namespace convoy::clients
