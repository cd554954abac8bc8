#pragma once

#include <cstdint>
#include <memory>

#include "agent/fetch/ask.hpp"
#include "base/clock.hpp"
#include "net/http_client.hpp"
#include "net/rate_limiter.hpp"

namespace convoy::agent {

/// Reads a blob from the registry in order, from any offset, and goes on where it was when the
/// connection breaks. The bytes are not verified. One thread, one reader.
class RegistrySource {
 public:
  /// `size`: of the blob. `rate` may be null.
  RegistrySource(BlobAsk ask, std::uint64_t offset, std::uint64_t size, const Clock& clock,
                 std::shared_ptr<net::RateLimiter> rate)
      : ask_(std::move(ask)),
        position_(offset),
        size_(size),
        clock_(clock),
        rate_(std::move(rate)) {}

  /// Fills the span or ends with the blob; 0 at its end. Errors: the registry's refusals;
  /// "registry_unavailable" after three attempts in a row that brought nothing; "blob_size" when
  /// the registry's length is not the expected one.
  net::Task<Result<std::size_t>> read_full(MutableByteView);
  std::uint64_t position() const { return position_; }

 private:
  net::Task<Status> open();
  net::Task<Result<std::size_t>> read_some(MutableByteView);
  net::Task<Status> skip(std::uint64_t bytes);

  BlobAsk ask_;
  std::uint64_t position_;
  std::uint64_t size_;
  const Clock& clock_;
  std::shared_ptr<net::RateLimiter> rate_;
  std::unique_ptr<net::HttpResponse> response_;
};

}  // namespace convoy::agent
