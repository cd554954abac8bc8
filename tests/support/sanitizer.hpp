#pragma once

namespace convoy::test {

/// Whether this build keeps freed memory for a while (AddressSanitizer) or some of its own beside
/// each byte (ThreadSanitizer), so that resident memory says nothing.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CONVOY_RESIDENT_SAYS_NOTHING 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONVOY_RESIDENT_SAYS_NOTHING 1
#endif
#ifdef CONVOY_RESIDENT_SAYS_NOTHING
constexpr bool kResidentSaysNothing = true;
#else
constexpr bool kResidentSaysNothing = false;
#endif

}  // namespace convoy::test
