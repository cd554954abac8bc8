#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/bt/message.hpp"
#include "wire/http/message.hpp"

namespace convoy::bt {

enum class AnnounceEvent : std::uint8_t { none, started, completed, stopped };

/// BEP 3 announce. An "ip" parameter is ignored: a tracker that believed it could be made to
/// send nodes anywhere.
struct AnnounceRequest {
  std::array<std::uint8_t, 20> info_hash{};
  PeerId peer_id{};
  std::uint16_t port = 0;
  std::uint64_t uploaded = 0, downloaded = 0, left = 0;
  AnnounceEvent event = AnnounceEvent::none;
  std::uint32_t numwant = 50;  ///< capped at 200
  bool compact = true;         ///< BEP 23
};
/// info_hash, peer_id, port, uploaded, downloaded and left must each stand there once.
/// Error code "announce_invalid".
Result<AnnounceRequest> parse_announce(const http::Target&);
std::string to_query(const AnnounceRequest&);

/// An address as peers are handed out.
struct PeerEndpoint {
  std::string ip;  ///< textual IPv4 or IPv6
  std::uint16_t port = 0;
  auto operator<=>(const PeerEndpoint&) const = default;
};

struct AnnounceReply {
  std::uint32_t interval = 30;  ///< seconds
  std::uint32_t seeders = 0, leechers = 0;
  std::vector<PeerEndpoint> peers;  ///< "peers" (BEP 23) and "peers6" (BEP 7)
};
Bytes encode(const AnnounceReply&);
/// Errors "announce_invalid"; "announce_refused" (denied) with the failure reason as detail.
Result<AnnounceReply> decode_announce_reply(ByteView);
/// BEP 3 "failure reason".
Bytes encode_failure(std::string_view reason);

/// BEP 48 scrape, of 1 to 64 info-hashes. Error code "scrape_invalid".
Result<std::vector<std::array<std::uint8_t, 20>>> parse_scrape(const http::Target&);
struct ScrapeEntry {
  std::array<std::uint8_t, 20> info_hash{};
  std::uint32_t seeders = 0, completed = 0, leechers = 0;
};
Bytes encode_scrape(const std::vector<ScrapeEntry>&);

}  // namespace convoy::bt
