#include "swarm/core/gate.hpp"

#include <algorithm>

namespace convoy::swarm::core {
namespace {

constexpr std::uint8_t kExtended = 20;  // BEP 10

}  // namespace

Result<std::size_t> Gate::feed(ByteView in) {
  std::size_t used = 0;
  while (!open()) {
    const State before = state_;
    auto step = state_ == State::handshake ? handshake(in.subspan(used))
                                           : extension_message(in.subspan(used));
    if (!step) return std::move(step).error();
    used += *step;
    if (state_ == before) break;  // more bytes are needed
  }
  return used;
}

Result<std::size_t> Gate::handshake(ByteView in) {
  constexpr std::string_view kProtocol =
      "\x13"
      "BitTorrent protocol";
  const std::size_t known = std::min(in.size(), kProtocol.size());
  if (as_text(in.first(known)) != kProtocol.substr(0, known)) return invalid("gate_not_bittorrent");
  if (in.size() < bt::kHandshakeSize) return std::size_t{0};
  const auto h = bt::decode_handshake(in.first(bt::kHandshakeSize));
  if (!h) return invalid("gate_not_bittorrent", h.error().detail());
  if (h->info_hash != info_hash_) return denied("gate_wrong_torrent");
  if (h->peer_id == self_) return denied("gate_self");
  if (!h->extended || !h->fast) return invalid("gate_no_extensions");
  peer_id_ = h->peer_id;
  state_ = State::extension;
  return bt::kHandshakeSize;
}

Result<std::size_t> Gate::extension_message(ByteView in) {
  if (in.size() < 4) return std::size_t{0};
  const std::uint32_t length =
      std::uint32_t{in[0]} << 24 | std::uint32_t{in[1]} << 16 | std::uint32_t{in[2]} << 8 | in[3];
  if (length < 2) return denied("gate_violation", "not an extension handshake");
  if (in.size() > 4 && in[4] != kExtended) return denied("gate_violation", "message before ticket");
  if (in.size() > 5 && in[5] != 0) return denied("gate_violation", "extension before ticket");
  if (length > kMaxMessage) return too_large("gate_too_large");
  if (in.size() < 4 + std::size_t{length}) return std::size_t{0};
  auto extension = bt::decode_extension_handshake(in.subspan(6, length - 2));
  if (!extension) return std::move(extension).error();
  extension_ = *std::move(extension);
  if (auto ok = check_(extension_.ticket); !ok) return std::move(ok).error();
  state_ = State::open;
  return std::size_t{4} + length;
}

}  // namespace convoy::swarm::core
