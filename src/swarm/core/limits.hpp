#pragma once

#include <cstddef>
#include <cstdint>

namespace convoy::swarm::core {

/// Blocks one peer may have waiting here; told as "reqq". Two pieces of 16 MiB fit.
inline constexpr std::uint32_t kMaxQueuedRequests = 2048;
/// Requests that are not blocks of the torrent: at the second the peer is dropped.
inline constexpr std::uint32_t kMaxBadRequests = 2;
/// Requests for what this side does not (yet, or any more) have, or does not offer.
inline constexpr std::uint32_t kMaxUnknownRequests = 256;
/// Blocks nobody asked for.
inline constexpr std::uint32_t kMaxUnsolicited = 64;
/// Hashes of the piece layer that are asked for at once: as many as libtorrent asks for, and takes.
inline constexpr std::uint32_t kRowHashes = 512;
/// Hash requests on one connection.
inline constexpr std::uint32_t kMaxHashRequests = 256;

/// New tickets on one connection at once; then one each second.
inline constexpr int kMaxTickets = 16;

}  // namespace convoy::swarm::core
