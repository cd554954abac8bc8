#include "net/buffer_pool.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <mutex>
#include <utility>
#include <vector>

namespace convoy::net {

struct PooledBuffer::Pool {
  /// 16 MiB at rest; a burst beyond it goes back to the allocator.
  static constexpr std::size_t kKept = 64;

  std::mutex mutex;
  std::vector<std::unique_ptr<std::uint8_t[]>> free;
};

namespace {

/// Hangs the pool on the event loop, so that it ends with it and needs no global.
class PoolService final : public asio::execution_context::service {
 public:
  using key_type = PoolService;
  static inline asio::execution_context::id id;

  explicit PoolService(asio::execution_context& context)
      : asio::execution_context::service(context), pool(std::make_shared<PooledBuffer::Pool>()) {}
  void shutdown() override {}

  std::shared_ptr<PooledBuffer::Pool> pool;
};

}  // namespace

PooledBuffer PooledBuffer::take(Executor executor) {
  asio::execution_context& context = asio::query(executor, asio::execution::context);
  auto pool = asio::use_service<PoolService>(context).pool;
  {
    const std::lock_guard lock(pool->mutex);
    if (!pool->free.empty()) {
      auto bytes = std::move(pool->free.back());
      pool->free.pop_back();
      return {std::move(pool), std::move(bytes)};
    }
  }
  return {std::move(pool), std::make_unique_for_overwrite<std::uint8_t[]>(kSize)};
}

PooledBuffer::PooledBuffer(std::shared_ptr<Pool> pool, std::unique_ptr<std::uint8_t[]> bytes)
    : pool_(std::move(pool)), bytes_(std::move(bytes)) {}

PooledBuffer::PooledBuffer(PooledBuffer&&) noexcept = default;

PooledBuffer::~PooledBuffer() {
  if (!bytes_) return;
  const std::lock_guard lock(pool_->mutex);
  if (pool_->free.size() < Pool::kKept) pool_->free.push_back(std::move(bytes_));
}

}  // namespace convoy::net
