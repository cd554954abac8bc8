#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.hpp"
#include "net/task.hpp"

namespace convoy::net {

/// Internal to net: a 256 KiB buffer lent by the event loop's pool and given back on
/// destruction. Contents are undefined at first.
class PooledBuffer {
 public:
  static constexpr std::size_t kSize = 256 * 1024;

  /// From the pool of the loop behind `executor`; allocates when it is empty.
  static PooledBuffer take(Executor executor);
  ~PooledBuffer();
  PooledBuffer(PooledBuffer&&) noexcept;
  PooledBuffer& operator=(PooledBuffer&&) = delete;

  MutableByteView span() { return {bytes_.get(), kSize}; }

  struct Pool;

 private:
  PooledBuffer(std::shared_ptr<Pool> pool, std::unique_ptr<std::uint8_t[]> bytes);
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<std::uint8_t[]> bytes_;
};

}  // namespace convoy::net
