#include <algorithm>

#include "crypto/hash.hpp"
#include "swarm/transport/torrent.hpp"

// Hashing and disk: on workers, one job for a piece.
namespace convoy::swarm {
namespace {

constexpr std::uint64_t kLayerStep = 16ULL << 20;

std::uint64_t offset_of(const bt::BlobMeta& meta, std::uint32_t piece) {
  return std::uint64_t{piece} * meta.piece_length;
}

/// The leaves of pieces [first, end) as they are on disk; empty when reading failed.
std::vector<Hash256> read_and_hash(const bt::BlobMeta& meta, PieceIo& io, std::uint32_t first,
                                   std::uint32_t end) {
  std::vector<Hash256> leaves;
  Bytes buffer;
  for (std::uint32_t piece = first; piece < end; ++piece) {
    buffer.resize(meta.piece_size(piece));
    if (!io.read(offset_of(meta, piece), buffer)) return {};
    const auto more = crypto::merkle_leaves(buffer);
    leaves.insert(leaves.end(), more.begin(), more.end());
  }
  return leaves;
}

}  // namespace

TorrentImpl::Checked TorrentImpl::check_and_store(const bt::BlobMeta& meta, PieceIo& io,
                                                  std::uint32_t piece, ByteView bytes,
                                                  const Hash256& expected) {
  Checked out;
  auto digest = io.digest_at(offset_of(meta, piece));
  crypto::MerkleLeaves leaves;
  if (digest) {
    leaves.update_with(*digest, bytes);
  } else {
    leaves.update(bytes);
  }
  out.leaves = leaves.finish();
  out.matches = bt::piece_hash(out.leaves, meta, crypto::sha256_pair) == expected;
  if (!out.matches) return out;
  Status stored = io.write(offset_of(meta, piece), bytes);
  if (stored) stored = io.piece_done(piece);
  out.stored = stored.ok();
  if (stored && digest) io.digest_done(*digest);
  if (!stored) out.trouble = stored.error().text();
  return out;
}

net::Task<void> TorrentImpl::verify_arrived() {
  const auto self = shared_from_this();
  while (!arrived_.empty() && !stopped_) {
    const auto first = arrived_.begin();
    const std::uint32_t piece = first->first;
    PieceBuffer buffer = std::move(first->second);
    arrived_.erase(first);
    co_await verify(piece, std::move(buffer));
  }
  verifying_ = false;
}

net::Task<void> TorrentImpl::verify(std::uint32_t piece, PieceBuffer buffer) {
  const auto self = shared_from_this();
  auto work = [meta = spec_.meta, io = spec_.io, piece, buffer, expected = core_.layer()[piece]] {
    const ByteView bytes = ByteView(*buffer).first(meta.piece_size(piece));
    return check_and_store(meta, *io, piece, bytes, expected);
  };
  const Checked result = co_await env_.pool.run(std::move(work));
  buffers_.give_back(std::move(buffer));
  if (stopped_) co_return;
  if (!result.matches) {
    env_.metrics.pieces_failed.add();
    log_.warn("piece failed its hash", {{"piece", piece}});
    core_.failed(piece, result.leaves, env_.now());
  } else if (result.stored) {
    disk_failures_ = 0;
    core_.verified(piece, result.leaves, env_.now());
    progress_.notify_all();
  } else {
    log_.error("piece could not be stored", {{"piece", piece}, {"detail", result.trouble}});
    core_.lost(piece, env_.now());
    if (++disk_failures_ >= kMaxDiskFailures) stop();
  }
  act();
}

net::Task<Result<bool>> TorrentImpl::put_piece(std::uint32_t piece, ByteView bytes) {
  const auto self = shared_from_this();
  if (piece >= spec_.meta.piece_count() || bytes.size() != spec_.meta.piece_size(piece)) {
    co_return invalid("piece_invalid");
  }
  if (core_.layer().empty()) co_return unavailable("piece_layer_unknown");
  auto work = [meta = spec_.meta, io = spec_.io, piece, bytes, expected = core_.layer()[piece],
               stored_already = core_.has(piece)]() -> Checked {
    if (!stored_already) return check_and_store(meta, *io, piece, bytes, expected);
    Checked out;
    out.matches =
        bt::piece_hash(crypto::merkle_leaves(bytes), meta, crypto::sha256_pair) == expected;
    out.stored = true;
    return out;
  };
  const Checked result = co_await env_.pool.run(std::move(work));
  if (!result.matches) co_return false;
  if (!result.stored) co_return unavailable("piece_not_stored", result.trouble);
  core_.injected(piece, env_.now());
  progress_.notify_all();
  act();
  co_return true;
}

net::Task<void> TorrentImpl::compute_layer() {
  const auto self = shared_from_this();
  std::vector<Hash256> leaves = spec_.leaves;
  const std::uint32_t count = spec_.meta.piece_count();
  const auto step =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(1, kLayerStep / spec_.meta.piece_length));
  for (std::uint32_t first = 0; spec_.leaves.empty() && first < count && !stopped_; first += step) {
    auto work = [meta = spec_.meta, io = spec_.io, first, end = std::min(count, first + step)] {
      return read_and_hash(meta, *io, first, end);
    };
    const std::vector<Hash256> more = co_await env_.pool.run(std::move(work));
    leaves.insert(leaves.end(), more.begin(), more.end());
  }
  auto work = [meta = spec_.meta, leaves = std::move(leaves)] {
    std::vector<Hash256> layer = bt::piece_layer(leaves, meta, crypto::sha256_pair);
    if (!bt::layer_matches(layer, meta, crypto::sha256_pair)) layer.clear();
    return layer;
  };
  std::vector<Hash256> layer = co_await env_.pool.run(std::move(work));
  if (layer.empty()) log_.error("the blob's leaves do not lead to the signed root");
  core_.layer_computed(std::move(layer), env_.now());
  act();
}

net::Task<void> TorrentImpl::read_leaves(core::ReadLeaves a) {
  const auto self = shared_from_this();
  auto work = [meta = spec_.meta, io = spec_.io, a] {
    return read_and_hash(meta, *io, a.piece, a.piece + 1);
  };
  std::vector<Hash256> leaves = co_await env_.pool.run(std::move(work));
  core_.leaves_read(a.peer, a.span, std::move(leaves), env_.now());
  act();
}

net::Task<void> TorrentImpl::report(std::string node, std::uint32_t piece) {
  const auto self = shared_from_this();
  net::Task<void> told = spec_.report(std::move(node), piece);
  co_await std::move(told);
}

}  // namespace convoy::swarm
