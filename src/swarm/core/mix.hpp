#pragma once

#include <cstdint>

namespace convoy::swarm::core {

/// SplitMix64 as a function: ties that differ from node to node and repeat with the seed.
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace convoy::swarm::core
