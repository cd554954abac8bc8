#include <algorithm>
#include <utility>

#include "sim/crowd.hpp"

// Messages, blocks and what comes of them.
namespace convoy::sim {
namespace {

namespace core = swarm::core;
constexpr std::uint32_t kRecord = 22;  // what TLS adds to a record
constexpr std::uint32_t kBulk = 1024;  // a larger message waits like data

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

/// Carries out what the core wants; messages of one moment to one peer go in one record.
void Crowd::act(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  std::map<std::uint32_t, std::vector<bt::Message>> batch;
  for (auto& action : s.core->take_actions()) {
    if (auto* m = std::get_if<core::SendMessage>(&action)) {
      if (m->wait > Duration{}) {
        hold(i, b, m->peer - 1, std::move(m->message), now() + m->wait);
      } else {
        batch[m->peer - 1].push_back(std::move(m->message));
      }
    } else if (const auto* v = std::get_if<core::VerifyPiece>(&action)) {
      events_.at(now() + options_.verify, i,
                 [this, i, b, piece = v->piece] { verify(i, b, piece); });
    } else if (const auto* d = std::get_if<core::DropPeer>(&action)) {
      s.peers.erase(d->peer - 1);
      s.book->node_gone(d->node, now());
      part(d->peer - 1, b, i);
    } else if (const auto* r = std::get_if<core::ReportPeer>(&action)) {
      reports_.push_back(r->node);
    } else if (const auto* l = std::get_if<core::ReadLeaves>(&action)) {
      s.core->leaves_read(l->peer, l->span, {}, now());
    }
  }
  for (auto& [to, messages] : batch) flush(i, b, to, std::move(messages));
  upload(i);
}

void Crowd::hold(std::uint32_t i, std::uint32_t b, std::uint32_t to, bt::Message m, Instant due) {
  auto& held = seat(i, b).held[to];
  held.messages.push_back(std::move(m));
  if (held.due <= due) return;
  held.due = due;
  events_.at(due, i, [this, i, b, to, due] {
    const auto it = seat(i, b).held.find(to);
    if (it != seat(i, b).held.end() && it->second.due == due) flush(i, b, to, {});
  });
}

void Crowd::flush(std::uint32_t i, std::uint32_t b, std::uint32_t to,
                  std::vector<bt::Message> messages) {
  Seat& s = seat(i, b);
  for (auto& m : std::exchange(s.held[to], {}).messages) messages.push_back(std::move(m));
  Bytes wire;
  std::vector<bt::Message> small;
  for (auto& m : messages) {
    Bytes one;
    bt::encode(m, one);
    if (one.size() > kBulk) {
      s.bulk.emplace_back(to, std::move(m));
      continue;
    }
    if (std::holds_alternative<bt::Hashes>(m)) s.core->hashes_sent(to + 1);
    wire.insert(wire.end(), one.begin(), one.end());
    small.push_back(std::move(m));
  }
  if (small.empty()) return;
  const std::uint64_t bytes = wire.size() + kRecord;
  totals_.control_bytes += bytes;
  deliver(i, b, to, links_.message(i, to, bytes, now()), std::move(small));
}

void Crowd::deliver(std::uint32_t i, std::uint32_t b, std::uint32_t to, Instant when,
                    std::vector<bt::Message> messages) {
  if (!nodes_[to].alive) return;
  events_.at(when, to, [this, i, b, to, messages = std::move(messages)] {
    for (const auto& m : messages) seat(to, b).core->received(i + 1, m, now());
    act(to, b);
  });
}

/// The uplink takes one block at a time.
void Crowd::upload(std::uint32_t i) {
  Node& n = nodes_[i];
  if (n.sending) return;
  if (links_.up_free(i) > now()) {
    n.sending = true;
    events_.at(links_.up_free(i), i, [this, i] {
      nodes_[i].sending = false;
      upload(i);
    });
    return;
  }
  std::vector<std::uint32_t> ready;
  std::copy_if(n.turns.begin(), n.turns.end(), std::back_inserter(ready), [&](std::uint32_t b) {
    return !n.seats[b].bulk.empty() || n.seats[b].core->has_uploads(now());
  });
  if (ready.empty()) return;
  const std::uint32_t next = *n.blob_turns.next(ready.begin(), ready.end(), [&](std::uint32_t b) {
    return core::blob_rank(blobs_[b].meta, i == 0);
  });
  std::erase(n.turns, next);
  n.turns.push_back(next);
  upload_from(i, next);
}

void Crowd::upload_from(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  if (!s.bulk.empty()) {
    upload_bulk(i, b);
    return;
  }
  const auto next = s.core->next_block(now());
  if (!next) return;
  const std::uint32_t to = next->peer - 1;
  if (i == 0) count_origin(next->block.length);
  const auto p = links_.data(i, to, next->block.length, now());
  nodes_[i].sending = true;
  events_.at(p.sent, i, [this, i] {
    nodes_[i].sending = false;
    upload(i);
  });
  events_.at(p.next, i, [this, i, b, u = *next] {
    seat(i, b).core->block_sent(u.peer, u.block, now());
    act(i, b);
  });
  if (!nodes_[to].alive) return;
  events_.at(p.arrived, to, [this, i, b, to, block = next->block] { arrive(i, b, to, block); });
}

void Crowd::upload_bulk(std::uint32_t i, std::uint32_t b) {
  Seat& s = seat(i, b);
  const std::uint32_t to = s.bulk.front().first;
  bt::Message message = std::move(s.bulk.front().second);
  s.bulk.pop_front();
  Bytes wire;
  bt::encode(message, wire);
  totals_.control_bytes += wire.size();
  if (i == 0) count_origin(wire.size());
  const auto p = links_.data(i, to, wire.size(), now());
  std::vector<bt::Message> one;
  one.push_back(std::move(message));
  deliver(i, b, to, p.arrived, std::move(one));
  nodes_[i].sending = true;
  events_.at(p.sent, i, [this, i, b, to] {
    nodes_[i].sending = false;
    seat(i, b).core->hashes_sent(to + 1);
    act(i, b);
  });
}

void Crowd::arrive(std::uint32_t from, std::uint32_t b, std::uint32_t to, bt::BlockRef block) {
  Seat& s = seat(to, b);
  const auto what = s.core->block(from + 1, block.piece, block.begin, block.length, now());
  if (what == core::Arrival::stored) {
    if (nodes_[from].corrupt) {
      s.tainted[block.piece].insert(block.begin);
    } else if (const auto wrong = s.tainted.find(block.piece); wrong != s.tainted.end()) {
      wrong->second.erase(block.begin);
    }
  }
  act(to, b);
}

void Crowd::verify(std::uint32_t i, std::uint32_t b, std::uint32_t piece) {
  Seat& s = seat(i, b);
  std::vector<Hash256> leaves(blobs_[b].meta.blocks_in(piece));
  const auto wrong = s.tainted.find(piece);
  const bool bad = wrong != s.tainted.end() && !wrong->second.empty();
  if (bad) {
    for (const std::uint32_t begin : wrong->second) leaves[begin / bt::kBlockSize][0] = 1;
  }
  if (wrong != s.tainted.end()) s.tainted.erase(wrong);
  if (bad) {
    s.core->failed(piece, leaves, now());
  } else {
    s.core->verified(piece, leaves, now());
    progress(i, b);
  }
  act(i, b);
}

void Crowd::progress(std::uint32_t i, std::uint32_t b) {
  Node& n = nodes_[i];
  Seat& s = n.seats[b];
  const bt::BlobMeta& meta = blobs_[b].meta;
  const double t = seconds(now() - n.start);
  if (n.result.first < 0) n.result.first = t;
  const auto readable = static_cast<std::uint32_t>(
      (s.core->readable_from(0) + meta.piece_length - 1) / meta.piece_length);
  const double bytes = static_cast<double>(readable - s.readable) * meta.piece_length;
  n.result.area += t * bytes / static_cast<double>(totals_.bytes);
  totals_.readable.add(t / totals_.ideal, bytes);
  if (readable > s.readable) {
    n.result.pause = std::max(n.result.pause, t - s.advanced);
    s.advanced = t;
  }
  s.readable = readable;
  if (!s.core->complete() || s.done) return;
  s.done = true;
  n.result.redundant += s.core->counts().redundant;
  n.result.layer += t / static_cast<double>(blobs_.size());
  if (--n.missing > 0) return;
  --downloading_;
  n.result.done = t;
}

void Crowd::count_origin(std::uint64_t bytes) {
  totals_.origin_bytes += bytes;
  const double at = seconds(now().time_since_epoch()) / totals_.ideal;
  totals_.origin.add(at, static_cast<double>(bytes));
}

}  // namespace convoy::sim
