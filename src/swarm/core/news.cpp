#include "swarm/core/news.hpp"

#include <algorithm>

namespace convoy::swarm::core {
namespace {

/// A piece told to somebody who has it already, or the end of an interest.
constexpr Duration kNobodyWaits = std::chrono::milliseconds(200);
/// News wait as long as so many pieces take here, within these bounds. Longer slows the swarm.
constexpr double kPiecesOfCompany = 16;
constexpr std::chrono::duration<double> kLeastCompany{0.02};
constexpr std::chrono::duration<double> kMostCompany{1};
/// In a zone of more nodes a piece has many hops to make and would wait at each: where not more
/// than one in so many peers has it, they are told at once. In few hops less is won than records
/// cost.
constexpr std::uint32_t kFewHops = 64;
constexpr std::size_t kFew = 4;

}  // namespace

Duration news_wait(const State& s, Instant now) {
  std::chrono::duration<double> wait = kLeastCompany;
  if (const double rate = s.down_rate(now); rate > 0) {
    wait = std::clamp(decltype(wait)(kPiecesOfCompany * s.config.meta.piece_length / rate),
                      kLeastCompany, kMostCompany);
  }
  return std::chrono::duration_cast<Duration>(wait);
}

/// The first of a crowd to ask the tracker cannot know: until it has answered twice nobody is said
/// to be few.
bool News::few_nodes() const { return told_ > 1 && nodes_ <= kFewHops; }

Duration News::wait(const Peer& peer, std::uint32_t piece, Duration company) const {
  if (peer.have.test(piece)) return peer.info.origin ? company : std::max(kNobodyWaits, company);
  const bool rare = kFew * s_.pieces.availability(piece) <= s_.peers.size();
  if (rare && !few_nodes()) return Duration{};
  // It reads in order: this is what its reader waits for.
  return piece == peer.have.first_missing(0) ? Duration{} : company;
}

void News::tell(Peer& peer, std::uint32_t piece, Instant now) {
  s_.send(peer, bt::Have{piece}, wait(peer, piece, news_wait(s_, now)));
}

void News::gained(std::uint32_t piece, const std::vector<PeerRef>& know, Instant now) {
  for (const auto& p : s_.peers) {
    if (std::find(know.begin(), know.end(), p->ref) == know.end()) tell(*p, piece, now);
  }
  if (!s_.pieces.complete()) return;
  for (const auto& p : s_.peers) s_.send(*p, bt::NotInterested{}, kNobodyWaits);
}

}  // namespace convoy::swarm::core
