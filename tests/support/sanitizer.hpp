#pragma once

namespace convoy::test {

/// Whether this build keeps freed memory for a while (AddressSanitizer), so that resident memory
/// says nothing.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONVOY_KEEPS_FREED_MEMORY 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define CONVOY_KEEPS_FREED_MEMORY 1
#endif
#ifdef CONVOY_KEEPS_FREED_MEMORY
constexpr bool kKeepsFreedMemory = true;
#else
constexpr bool kKeepsFreedMemory = false;
#endif

}  // namespace convoy::test
