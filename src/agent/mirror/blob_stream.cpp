// The parts of BlobHandler that give out bytes while they still arrive.

#include <algorithm>

#include "agent/fetch/registry_source.hpp"
#include "agent/fetch/stall_watch.hpp"
#include "agent/mirror/answers.hpp"
#include "agent/mirror/blob_handler.hpp"
#include "agent/mirror/blob_pull.hpp"
#include "crypto/hash.hpp"

namespace convoy::agent {
namespace {

constexpr std::size_t kBuffered = 256 * 1024;
constexpr std::uint64_t kShares = 1000;

}  // namespace

net::Task<void> BlobHandler::from_download(Pull& pull, Permit permit) {
  const bool swarm_is_empty = permit.pass && permit.pass->grant.peers.empty();
  auto joined = co_await env_.downloads.join(pull.ask, std::move(permit));
  if (!joined) {
    env_.log.warn("doing without the cache",
                  {{"digest", pull.ask.digest.str()}, {"reason", joined.error().text()}});
    co_await relay(pull);
    co_return;
  }
  pull.download = joined->download;
  pull.began_download = joined->started;
  co_await stream(pull, joined->download, swarm_is_empty);
}

net::Task<void> BlobHandler::stream(Pull& pull, std::shared_ptr<Download> download,
                                    bool swarm_is_empty) {
  std::uint64_t at = pull.first();
  Download::Reader reader(download, at);
  const double share = static_cast<double>(env_.random.below(kShares)) / kShares;
  StallWatch watch(env_.stall, download->meta().piece_length, share, env_.clock.steady());
  bool alive = true;
  while (alive && at < pull.end()) {
    const std::uint64_t ready = std::min(download->releasable_from(at), pull.end() - at);
    if (ready > 0) {
      if (!pull.exchange.started()) {
        auto started = co_await start(pull);
        if (!started) co_return;
      }
      const std::uint64_t n = std::min(ready, kSendTurn);
      auto sent = co_await send_part(pull, *download->file(), at, n);
      if (!sent) co_return;
      at += n;
      reader.move(at);
      watch.moved(env_.clock.steady());
      continue;
    }
    if (download->state() == Download::State::failed) break;
    const SteadyTime now = env_.clock.steady();
    const std::uint64_t readable = download->readable_from(at);
    if (readable > 0 && at + readable == pull.size) watch.moved(now);
    watch.swarm_bytes(download->swarm_bytes(), now);
    if (!download->torrent() || swarm_is_empty || watch.stalled(now)) {
      download->call_registry(at + readable, pull.ask);
    }
    if (watch.stalled(now) && download->out_of_sources()) break;
    if (watch.hopeless(now) && !download->registry_active()) break;
    alive = co_await download->wait(at);
  }
  if (at == pull.end() || !alive) co_return;
  if (download->out_of_room() && !pull.exchange.started()) {
    pull.download.reset();
    co_await relay(pull);
    co_return;
  }
  Error reason = download->failure() ? *download->failure() : unavailable("sources_silent");
  co_await give_up(pull, std::move(reason));
}

net::Task<void> BlobHandler::relay(Pull& pull) {
  pull.source = &PullBytes::registry;
  if (pull.whole() && pull.size <= kBuffered) {
    co_await relay_small(pull);
    co_return;
  }
  RegistrySource source(pull.ask, pull.first(), pull.size, env_.clock, env_.registry_rate);
  const auto hasher = crypto::make_hasher(pull.ask.digest.algorithm());
  Bytes buffer(kBuffered);
  for (std::uint64_t at = pull.first(); at < pull.end();) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kBuffered, pull.end() - at));
    const MutableByteView part(buffer.data(), n);
    auto got = co_await source.read_full(part);
    if (!got) {
      co_await give_up(pull, std::move(got).error());
      co_return;
    }
    at += *got;
    if (pull.whole()) {
      hasher->update(part);
      const bool last = at == pull.size;
      const bool wrong =
          last && oci::Digest::of(pull.ask.digest.algorithm(), hasher->finish()) != pull.ask.digest;
      if (wrong) {
        co_await give_up(pull, corrupt("digest_mismatch"));
        co_return;
      }
    }
    if (!pull.exchange.started()) {
      auto started = co_await start(pull);
      if (!started) co_return;
    }
    auto written = co_await pull.exchange.write(part);
    if (!written) co_return;
  }
}

net::Task<void> BlobHandler::relay_small(Pull& pull) {
  RegistrySource source(pull.ask, 0, pull.size, env_.clock, env_.registry_rate);
  Bytes bytes(static_cast<std::size_t>(pull.size));
  auto got = co_await source.read_full(bytes);
  pull.claim.reset();
  if (!got) {
    co_await give_up(pull, std::move(got).error());
    co_return;
  }
  const auto hasher = crypto::make_hasher(pull.ask.digest.algorithm());
  hasher->update(bytes);
  const Bytes raw = hasher->finish();
  if (oci::Digest::of(pull.ask.digest.algorithm(), raw) != pull.ask.digest) {
    co_await give_up(pull, corrupt("digest_mismatch"));
    co_return;
  }
  auto done = co_await start(pull);
  if (done && !bytes.empty()) done = co_await pull.exchange.write(bytes);
  if (!done) env_.log.debug("client gone", {{"reason", done.error().text()}});
}

}  // namespace convoy::agent
