#pragma once

#include <cstdint>
#include <string>

namespace convoy {

/// What `convoy demo` was asked for.
struct DemoOptions {
  std::uint32_t nodes = 8;            ///< agents, 1 to 64
  std::uint64_t size = 256ULL << 20;  ///< bytes of the image made for it
  std::string image;                  ///< folder of an OCI layout used instead; "" for none
  std::uint64_t uplink = 50'000'000;  ///< bytes/s of the registry; 0: no limit
  bool json = false;                  ///< the result as JSON on standard output
  std::string keep;                   ///< folder that stays behind; "": a temporary one
};

/// Runs a registry, a tracker and many agents on this machine, pulls one image on all of them at
/// once and says what it cost. Returns the process's exit status.
int run_demo(const DemoOptions&);

}  // namespace convoy
