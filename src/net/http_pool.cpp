#include "net/http_pool.hpp"

#include <iterator>
#include <utility>

#include "net/steady.hpp"

namespace convoy::net {
namespace {

/// Less than servers commonly wait, so that the client is the one who closes.
constexpr Duration kMaxIdle = std::chrono::seconds(55);

}  // namespace

void ClientPool::drop_old(SteadyTime now) {
  for (auto it = idle_.begin(); it != idle_.end();) {
    std::erase_if(it->second, [now](const auto& c) { return now - c->idle_since > kMaxIdle; });
    it = it->second.empty() ? idle_.erase(it) : std::next(it);
  }
}

ClientConnectionPtr ClientPool::take(const std::string& key) {
  drop_old(steady_now());
  const auto it = idle_.find(key);
  if (it == idle_.end()) return nullptr;
  while (!it->second.empty()) {
    ClientConnectionPtr last = std::move(it->second.back());
    it->second.pop_back();
    if (last->stream->quiet()) return last;
  }
  return nullptr;
}

void ClientPool::give(const std::string& key, ClientConnectionPtr connection) {
  auto& waiting = idle_[key];
  if (waiting.size() >= max_) return;
  connection->idle_since = steady_now();
  connection->input.shrink(0);
  waiting.push_back(std::move(connection));
}

PooledResponse::PooledResponse(std::weak_ptr<ClientPool> pool, std::string key,
                               ClientConnectionPtr connection, ParsedResponse parsed)
    : pool_(std::move(pool)),
      key_(std::move(key)),
      connection_(std::move(connection)),
      tls_(connection_->tls),
      parsed_(std::move(parsed)),
      body_(*connection_->stream, connection_->input, parsed_.body, parsed_.length.value_or(0)) {
  release_if_done();
}

void PooledResponse::release_if_done() {
  if (!body_.done() || !connection_) return;
  ClientConnectionPtr connection = std::move(connection_);
  const auto pool = pool_.lock();
  // Bytes behind the end of the message were never asked for.
  if (pool && parsed_.keep_alive && connection->input.empty()) {
    pool->give(key_, std::move(connection));
  }
}

Task<Result<std::size_t>> PooledResponse::read_body(MutableByteView out) {
  auto got = co_await body_.read(out);
  release_if_done();
  co_return got;
}

Task<Result<std::string>> PooledResponse::read_all(std::size_t limit) {
  auto got = co_await body_.read_all(limit);
  release_if_done();
  co_return got;
}

}  // namespace convoy::net
