#include "agent/mirror/blob_handler.hpp"

#include <algorithm>

#include "agent/mirror/answers.hpp"
#include "agent/mirror/blob_pull.hpp"
#include "agent/mirror/passthrough.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kDecidePatience = std::chrono::seconds(12);
constexpr Duration kHeadPatience = std::chrono::seconds(10);
// Without a torrent bytes come in order from the registry: a reader much further on would
// wait for all that stands before it.
constexpr std::uint64_t kWorthWaitingFor = 4 * 1024 * 1024;
constexpr std::uint64_t kReadStep = 256 * 1024;

struct Stored {
  std::shared_ptr<storage::BlobReader> blob;  ///< null: not in the cache
  bool opened = false;                        ///< by the word of the registry that is asked
};

Stored open_stored(storage::CacheStore& cache, const BlobAsk& ask, const Permit& permit) {
  auto blob = cache.open_complete(ask.digest);
  if (!blob) return {};
  if (cache.has_source(ask.digest, ask.upstream->host)) return {std::move(*blob), true};
  const auto meta = cache.complete_meta(ask.digest);
  return {std::move(*blob), meta && signs_tree(permit, *meta)};
}

/// Has it in memory then.
Status read_through(const storage::BlobBytes& file, std::uint64_t offset, std::uint64_t length) {
  Bytes buffer(static_cast<std::size_t>(std::min(kReadStep, length)));
  const std::uint64_t end = offset + length;
  while (offset < end) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - offset));
    auto read = file.read_at(offset, MutableByteView(buffer).first(n));
    if (!read) return read;
    offset += n;
  }
  return {};
}

}  // namespace

net::Task<void> BlobHandler::serve(net::HttpExchange& exchange, BlobAsk ask, http::Headers extra) {
  Pull pull{.exchange = exchange,
            .ask = std::move(ask),
            .extra = std::move(extra),
            .began = env_.clock.steady(),
            .range = {}};
  if (exchange.request().method == "HEAD") {
    co_await head(pull);
    co_return;
  }
  {
    const Pull* seen = &pull;
    const auto running =
        env_.pulls.track([seen, &clock = env_.clock] { return seen->record(clock.steady()); });
    co_await get(pull);
  }
  finish(pull);
  // The client has its bytes already.
  if (pull.relayed) co_await remember_source(pull);
}

net::Task<void> BlobHandler::get(Pull& pull) {
  const Deadline deadline = Deadline::in(env_.clock, kDecidePatience);
  auto permit = co_await permit_for(pull, deadline);
  if (!permit) {
    co_await turn_away(pull, std::move(permit).error());
    co_return;
  }
  audit(pull, true, {});
  pull.granted = true;
  pull.size = permit->size;
  auto range = requested_range(pull.exchange.request(), pull.ask.digest, pull.size);
  if (!range) {
    pull.extra.set("Content-Range", "bytes */" + std::to_string(pull.size));
    co_await give_up(pull, std::move(range).error());
    co_return;
  }
  pull.range = *range;
  if (permit->cache_allowed) {
    if (pull.size < env_.small_blob_limit) {
      co_await env_.small.wait(pull.ask.digest, env_.stall);
      pull.claim.emplace(env_.small, pull.ask.digest);
    }
    const bool served = co_await from_cache(pull, *permit);
    if (served) co_return;
  }
  if (must_relay(pull, *permit)) {
    pull.relayed = true;
    co_await relay(pull);
  } else {
    co_await from_download(pull, std::move(*permit));
  }
}

net::Task<Result<Permit>> BlobHandler::permit_for(Pull& pull, Deadline deadline) {
  auto question = [this, &pull, deadline](std::optional<Secret> credential) {
    pull.shown = credential;
    return env_.authorizer.permit(pull.ask, std::move(credential), deadline);
  };
  co_return co_await ask_with_credential(pull.ask, deadline, std::move(question));
}

bool BlobHandler::must_relay(const Pull& pull, const Permit& permit) const {
  if (!permit.cache_allowed || pull.size == 0 || pull.size < env_.small_blob_limit) return true;
  if (env_.downloads.spoilt(pull.ask.digest)) return true;
  return !permit.pass && pull.first() > kWorthWaitingFor;
}

net::Task<bool> BlobHandler::from_cache(Pull& pull, Permit& permit) {
  storage::CacheStore& cache = env_.cache;
  auto open = [&cache, &ask = pull.ask, &permit] { return open_stored(cache, ask, permit); };
  auto found = co_await env_.pool.run(std::move(open));
  if (!found.blob || found.blob->size() != pull.size) co_return false;
  if (!found.opened) {
    permit.cache_allowed = env_.downloads.shared(pull.ask, permit);
    co_return false;
  }
  const std::shared_ptr<storage::BlobReader> blob = std::move(found.blob);
  if (permit.pass && pull.size >= env_.small_blob_limit) {
    std::vector<bool> all(permit.pass->meta.piece_count(), true);
    env_.seats.join(*permit.pass, pull.ask, piece_io(blob), std::move(all));
  }
  // What was taken ahead came for this pull.
  const bool ahead = env_.small.first_use(pull.ask.digest);
  pull.source = ahead ? &PullBytes::registry : &PullBytes::cache;
  const auto sent = co_await send_stored(pull, *blob);
  if (!sent) {
    env_.log.debug("a cached blob was cut short",
                   {{"reason", sent.error().text()}, {"request_id", pull.ask.request_id}});
  }
  co_return true;
}

net::Task<void> BlobHandler::remember_source(const Pull& pull) {
  // The last bytes of a whole blob go out only when its digest is right.
  const net::HttpExchange& sent = pull.exchange;
  const bool good = pull.whole() && sent.status() == 200 && sent.bytes_sent() == pull.size;
  if (good) co_await env_.downloads.add_source(pull.ask.digest, pull.ask.upstream->host);
}

net::Task<Status> BlobHandler::start(Pull& pull) {
  http::ResponseHead head = blob_head(pull.ask.digest, pull.size, pull.range, pull.extra);
  co_return co_await pull.exchange.start(std::move(head), pull.end() - pull.first());
}

net::Task<Status> BlobHandler::send_stored(Pull& pull, const storage::BlobReader& blob) {
  auto started = co_await start(pull);
  if (!started) co_return started;
  for (std::uint64_t at = pull.first(); at < pull.end();) {
    const std::uint64_t n = std::min(kSendTurn, pull.end() - at);
    auto sent = co_await send_part(pull, blob, at, n);
    if (!sent) co_return sent;
    at += n;
  }
  co_return Status{};
}

net::Task<Status> BlobHandler::send_part(Pull& pull, const storage::BlobBytes& file,
                                         std::uint64_t offset, std::uint64_t length) {
  if (!env_.cache.in_memory(pull.ask.digest, offset, length)) {
    // Else sending would have the loop wait for the disk.
    auto job = [&file, offset, length] { return read_through(file, offset, length); };
    auto read = co_await env_.pool.run(std::move(job));
    if (!read) co_return read;
  }
  auto sent = co_await pull.exchange.send_file(file.fd(), offset, length);
  co_return sent;
}

net::Task<void> BlobHandler::head(Pull& pull) {
  const Deadline deadline = Deadline::in(env_.clock, kHeadPatience);
  auto question = [this, &pull, deadline](std::optional<Secret> credential) {
    pull.shown = credential;
    return head_info(pull.ask, std::move(credential), deadline);
  };
  auto info = co_await ask_with_credential(pull.ask, deadline, std::move(question));
  if (!info) {
    co_await turn_away(pull, std::move(info).error());
    co_return;
  }
  pull.size = info->size;
  const auto started = co_await start(pull);
  if (!started) env_.log.debug("client gone", {{"reason", started.error().text()}});
}

net::Task<Result<clients::BlobInfo>> BlobHandler::head_info(BlobAsk ask,
                                                            std::optional<Secret> authorization,
                                                            Deadline deadline) {
  auto info = co_await ask.upstream->client->head_blob(ask.repository, ask.digest, authorization,
                                                       ask.request_id, deadline);
  if (info || is_refusal(info.error())) co_return info;
  // The registry is gone; whoever the tracker still trusts gets to know what the metadata says.
  auto permit = co_await env_.authorizer.permit(ask, std::move(authorization), deadline);
  if (permit) co_return clients::BlobInfo{permit->size, {}};
  co_return info;
}

net::Task<void> BlobHandler::turn_away(Pull& pull, Error error) {
  if (is_refusal(error)) {
    co_await refuse(pull, std::move(error));
  } else {
    co_await give_up(pull, std::move(error));
  }
}

net::Task<void> BlobHandler::refuse(Pull& pull, Error error) {
  audit(pull, false, error.code());
  int status = 0;
  if (error.kind() != ErrorClass::denied) {
    // Clients find their way to the token server by the registry's own challenge.
    net::HttpRequest request;
    request.method = "HEAD";
    request.url = pull.ask.upstream->base;
    request.url.target = "/v2/" + pull.ask.repository.str() + "/blobs/" + pull.ask.digest.str();
    request.headers.add("X-Request-Id", pull.ask.request_id);
    if (pull.shown) request.headers.add("Authorization", std::string(pull.shown->reveal()));
    const Deadline deadline = Deadline::in(env_.clock, kHeadPatience);
    auto answer = co_await pull.ask.upstream->http->send(std::move(request), deadline);
    if (answer && ((*answer)->status() == 401 || (*answer)->status() == 403)) {
      status = (*answer)->status();
      for (const auto challenge : (*answer)->head().headers.all("WWW-Authenticate")) {
        pull.extra.add("WWW-Authenticate", std::string(challenge));
      }
    }
  }
  Status told = Status{};
  if (status != 0) {
    told = co_await respond_error_as(pull.exchange, status, std::move(error), pull.extra);
  } else {
    told = co_await respond_error(pull.exchange, std::move(error), pull.extra);
  }
  if (!told) env_.log.debug("client gone", {{"reason", told.error().text()}});
}

net::Task<void> BlobHandler::give_up(Pull& pull, Error error) {
  env_.log.warn("a blob could not be served", {{"digest", pull.ask.digest.str()},
                                               {"reason", error.text()},
                                               {"request_id", pull.ask.request_id}});
  if (pull.exchange.started()) co_return;
  // The client must go on to its next source, which a 500 does not say to all of them.
  const bool ours = error.kind() == ErrorClass::corrupt || error.kind() == ErrorClass::internal;
  Error shown = ours ? unavailable("blob_unavailable") : std::move(error);
  const auto told = co_await respond_error(pull.exchange, std::move(shown), pull.extra);
  if (!told) env_.log.debug("client gone", {{"reason", told.error().text()}});
}

void BlobHandler::audit(const Pull& pull, bool granted, const std::string& reason) {
  security::AuditEvent event;
  event.action = granted ? "pull.grant" : "pull.refuse";
  event.outcome = granted ? security::AuditOutcome::granted : security::AuditOutcome::refused;
  event.remote_ip = pull.ask.remote_ip;
  event.digest = pull.ask.digest.str();
  event.repository = pull.ask.repository.str();
  event.reason = reason;
  event.request_id = pull.ask.request_id;
  event.extra.emplace_back("registry", pull.ask.upstream->host.str());
  event.extra.emplace_back("credential", pull.ask.own_credential  ? "node"
                                         : pull.ask.authorization ? "client"
                                                                  : "none");
  env_.audit.record(std::move(event));
}

void BlobHandler::finish(Pull& pull) {
  const int status = pull.exchange.status();
  const bool good = status == 200 || status == 206;
  const bool all = pull.exchange.bytes_sent() == pull.end() - pull.first();
  PullRecord record = pull.record(env_.clock.steady());
  record.outcome = good && all                                       ? "ok"
                   : good                                            ? "cut"
                   : status == 401 || status == 403 || status == 404 ? "refused"
                                                                     : "failed";
  env_.pulls.add(std::move(record));
}

}  // namespace convoy::agent
