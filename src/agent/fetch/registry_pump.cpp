// The parts of Download that bring pieces from elsewhere than the swarm: the registry, and the file
// of an earlier run.

#include <algorithm>

#include "agent/fetch/download.hpp"
#include "agent/fetch/registry_source.hpp"

namespace convoy::agent {
namespace {

constexpr std::size_t kMaxPumps = 4;
constexpr std::uint32_t kNear = 64;  // pieces: a reader this far ahead of a pump waits for it
constexpr Duration kRegistryRest = std::chrono::seconds(1);
constexpr int kClaimAttempts = 100;
constexpr Duration kClaimPause = std::chrono::milliseconds(100);

}  // namespace

void Download::call_registry(std::uint64_t offset, BlobAsk ask) {
  if (state_ != State::running || offset >= meta_.size) return;
  const auto piece = static_cast<std::uint32_t>(offset / meta_.piece_length);
  const bool served = std::any_of(pumps_.begin(), pumps_.end(), [&](const auto& pump) {
    return !torrent_ || (pump->piece <= piece && piece - pump->piece <= kNear);
  });
  if (served || pumps_.size() >= kMaxPumps) return;
  if (env_.clock.steady() < registry_rest_until_) return;
  auto pump = std::make_shared<Pump>();
  // Without a torrent nobody else fills the gap before the reader.
  pump->piece = torrent_ ? piece : static_cast<std::uint32_t>(sequential_ / meta_.piece_length);
  pumps_.push_back(pump);
  env_.log.info(
      "reading from the registry",
      {{"digest", meta_.digest.str()}, {"piece", pump->piece}, {"request_id", ask.request_id}});
  env_.tasks.spawn(
      [self = shared_from_this(), pump, ask = std::move(ask)] { return self->pump(pump, ask); });
}

bool Download::pump_wanted(const Pump& pump) const {
  if (state_ != State::running || pump.piece >= meta_.piece_count()) return false;
  const std::uint64_t at = std::uint64_t{pump.piece} * meta_.piece_length;
  // A piece that is there already means that the swarm has come back to life.
  return readable_from(at) == 0 && (readers_ > 0 || !torrent_);
}

net::Task<void> Download::pump(std::shared_ptr<Pump> pump, BlobAsk ask) {
  const auto self = shared_from_this();
  const std::uint64_t offset = std::uint64_t{pump->piece} * meta_.piece_length;
  RegistrySource source(std::move(ask), offset, meta_.size, env_.clock, env_.registry_rate);
  Bytes buffer(std::min<std::uint64_t>(meta_.piece_length, meta_.size));
  std::optional<Error> error;
  while (!error && pump_wanted(*pump)) {
    auto done = co_await pump_piece(*pump, source, buffer);
    if (!done) error = std::move(done).error();
  }
  std::erase(pumps_, pump);
  if (error && state_ == State::running) {
    env_.log.warn("the registry gave no bytes",
                  {{"digest", meta_.digest.str()}, {"reason", error->text()}});
    registry_failed_ = true;
    registry_rest_until_ = env_.clock.steady() + kRegistryRest;
    if (!torrent_) fail(std::move(*error));
  }
  changed_.notify_all();
}

net::Task<Status> Download::pump_piece(Pump& pump, RegistrySource& source, Bytes& buffer) {
  const MutableByteView bytes(buffer.data(), meta_.piece_size(pump.piece));
  auto n = co_await source.read_full(bytes);
  if (!n) co_return std::move(n).error();
  if (*n != bytes.size()) co_return corrupt("blob_size", "the blob is shorter than stated");
  auto kept = co_await keep_piece(pump.piece, bytes);
  if (!kept) co_return std::move(kept).error();
  from_registry_ += bytes.size();
  registry_failed_ = false;
  last_use_ = env_.clock.steady();
  ++pump.piece;
  sequential_ = std::max(sequential_, source.position());
  changed_.notify_all();
  co_return Status{};
}

net::Task<Status> Download::keep_piece(std::uint32_t piece, MutableByteView bytes) {
  if (torrent_) {
    auto good = co_await torrent_->put_piece(piece, bytes);
    if (good && *good) co_return Status{};
    if (good) co_return corrupt("piece_mismatch", "the registry's bytes fail the signed tree");
  }
  // The tree is not known yet: the digest of the whole will tell.
  const auto file = file_;
  const std::uint64_t offset = std::uint64_t{piece} * meta_.piece_length;
  auto job = [file, digest = digest_, offset, bytes] {
    auto written = file->write_at(offset, bytes);
    auto state = digest->at(offset);
    if (!written || !state) return written;
    state->update(bytes);
    digest->advance(*state);
    return written;
  };
  auto written = co_await env_.pool.run(std::move(job));
  if (!written) {
    fail(written.error());
    co_return std::move(written).error();
  }
  unchecked_.set(piece);
  co_return Status{};
}

net::Task<void> Download::resume_claims(std::vector<bool> claims) {
  const auto self = shared_from_this();
  int attempts = 0;
  for (std::uint32_t piece = 0; piece < claims.size() && state_ == State::running;) {
    const std::uint64_t offset = std::uint64_t{piece} * meta_.piece_length;
    if (!claims[piece] || torrent_->readable_from(offset) > 0) {
      ++piece;
      continue;
    }
    const auto file = file_;
    Bytes bytes(meta_.piece_size(piece));
    Bytes* into = &bytes;
    auto job = [file, offset, into] { return file->read_at(offset, *into); };
    auto read = co_await env_.pool.run(std::move(job));
    if (!read) co_return;
    auto good = co_await torrent_->put_piece(piece, bytes);
    if (good) {
      ++piece;
      continue;
    }
    // Until a peer has told the hashes of the pieces, nothing can be compared with them.
    if (++attempts > kClaimAttempts) co_return;
    const bool awake = co_await net::sleep_for(kClaimPause);
    if (!awake) co_return;
  }
}

}  // namespace convoy::agent
