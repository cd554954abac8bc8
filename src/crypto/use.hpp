#pragma once

#include <vector>

#include "crypto/certificate.hpp"

namespace convoy::crypto::detail {

/// The extended key usages, dotted, that a certificate of this use carries; none for a CA.
std::vector<const char*> usages_of(CertUse);

inline constexpr const char* kServerAuth = "1.3.6.1.5.5.7.3.1";
inline constexpr const char* kClientAuth = "1.3.6.1.5.5.7.3.2";

}  // namespace convoy::crypto::detail
