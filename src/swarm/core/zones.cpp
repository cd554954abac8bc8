#include "swarm/core/zones.hpp"

#include <algorithm>

#include "swarm/core/mix.hpp"

namespace convoy::swarm::core {
namespace {

constexpr Duration kStep = std::chrono::seconds(1);  // of the order

}  // namespace

bool owns(ZonePlace place, std::uint64_t salt, std::uint32_t piece, std::uint32_t attempt) {
  const std::uint64_t count = std::max<std::uint32_t>(place.count, 1);
  const std::uint64_t index = std::min<std::uint64_t>(place.index, count - 1);
  const std::uint64_t owner = mix(salt ^ piece) % count;
  const std::uint64_t behind = (index + count - owner) % count;
  return behind < (std::uint64_t{1} << std::min<std::uint32_t>(attempt, 32));
}

void Border::look(Instant now, std::uint32_t neighbours, Duration patience, Duration news) {
  now_ = now;
  least_ = neighbours + 1;
  patience_ = patience + news;
  news_ = news;
}

void Border::across(std::uint32_t piece, std::uint32_t pieces, Instant now) {
  if (!any()) pieces_.resize(pieces);
  Piece& p = pieces_[piece];
  ++p.holders;
  if (p.since == Instant{}) p.since = now;
}

void Border::not_across(std::uint32_t piece) { --pieces_[piece].holders; }

void Border::got(std::uint32_t piece) {
  if (any()) pieces_[piece].home = true;
}

void Border::at_home(std::uint32_t piece, Instant now) {
  if (!any() || pieces_[piece].home) return;
  Piece& p = pieces_[piece];
  p.home = true;
  // What somebody else brought in an owner's place does not show that owners are there.
  if (p.since == Instant{} || attempt(p, now) > 0) return;
  newest_ = std::max(newest_, p.since);
  moved_ = now;
}

std::uint32_t Border::attempt(const Piece& p, Instant now) const {
  const Duration overtaken = newest_ - p.since;
  const Duration silence = now - std::max(moved_, p.since);
  return static_cast<std::uint32_t>(
      std::clamp<Duration::rep>(std::max(overtaken, silence) / patience_, 0, 32));
}

bool Border::mine(std::uint32_t piece) const {
  if (now_ - pieces_[piece].since < news_) return false;
  const ZonePlace place{place_.index, std::max(place_.count, least_)};
  return owns(place, salt_, piece, attempt(pieces_[piece], now_));
}

std::uint64_t Border::order(std::uint32_t piece, std::uint64_t tie) const {
  const auto age = pieces_[piece].since.time_since_epoch() / kStep;
  return static_cast<std::uint64_t>(age) << 32 | mix(tie ^ piece) >> 32;
}

}  // namespace convoy::swarm::core
