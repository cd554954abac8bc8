#include "net/http_body.hpp"

#include <algorithm>
#include <cstring>

#include "net/steady.hpp"

namespace convoy::net {
namespace {

constexpr std::size_t kChunkedInput = 64 * 1024;
constexpr std::size_t kReadAllStep = 16 * 1024;

std::size_t copy_from(InputBuffer& input, MutableByteView out) {
  const std::size_t n = std::min(input.size(), out.size());
  if (n > 0) std::memcpy(out.data(), input.view().data(), n);
  input.consume(n);
  return n;
}

}  // namespace

BodyReader::BodyReader(Stream& stream, InputBuffer& input, BodyKind kind, std::uint64_t length,
                       Pace pace)
    : stream_(stream), input_(input), kind_(kind), pace_(pace) {
  if (kind == BodyKind::length) remaining_ = length;
  if (kind == BodyKind::chunked) chunks_ = std::make_unique<ChunkDecoder>();
}

std::optional<std::uint64_t> BodyReader::remaining() const {
  if (done()) return 0;
  if (kind_ == BodyKind::length) return remaining_;
  return std::nullopt;
}

Task<Result<std::size_t>> BodyReader::read(MutableByteView out) {
  if (kind_ == BodyKind::length) return read_raw(out);
  if (kind_ == BodyKind::chunked) return read_chunked(out);
  return read_to_close(out);
}

Task<Result<std::size_t>> BodyReader::read_raw(MutableByteView out) {
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), remaining_));
  const MutableByteView room = out.first(want);
  std::size_t n = copy_from(input_, room);
  if (n == 0) {
    const SteadyTime asked = pace_.watches() ? steady_now() : SteadyTime();
    auto got = co_await stream_.read_some(room);
    got = judge(std::move(got), asked);
    if (!got) co_return got;
    n = *got;
  }
  remaining_ -= n;
  if (remaining_ == 0) kind_ = BodyKind::none;
  co_return n;
}

/// What a read of the connection gave, inside a body that says itself where it ends.
Result<std::size_t> BodyReader::judge(Result<std::size_t> got, SteadyTime asked) {
  if (!got) return got;
  if (*got == 0) return unavailable("stream_truncated", "the body ended early");
  if (pace_.watches() && !pace_.took(steady_now() - asked, *got)) {
    return timed_out("body_too_slow");
  }
  return got;
}

Task<Result<std::size_t>> BodyReader::read_chunked(MutableByteView out) {
  if (out.empty()) co_return internal_error("empty_read");
  for (;;) {
    auto progress = chunks_->decode(input_.view(), out);
    if (!progress) co_return std::move(progress).error();
    input_.consume(progress->consumed);
    if (chunks_->done()) kind_ = BodyKind::none;
    if (progress->produced > 0) co_return progress->produced;
    if (done()) co_return std::size_t{0};
    if (progress->consumed > 0 && !input_.empty()) continue;
    const MutableByteView room = input_.prepare(kChunkedInput);
    const SteadyTime asked = pace_.watches() ? steady_now() : SteadyTime();
    auto got = co_await stream_.read_some(room);
    got = judge(std::move(got), asked);
    if (!got) co_return got;
    input_.commit(*got);
  }
}

Task<Result<std::size_t>> BodyReader::read_to_close(MutableByteView out) {
  if (done()) co_return std::size_t{0};
  const std::size_t held = copy_from(input_, out);
  if (held > 0) co_return held;
  auto got = co_await stream_.read_some(out);
  if (got && *got == 0) kind_ = BodyKind::none;
  co_return got;
}

Task<Result<std::string>> BodyReader::read_all(std::size_t limit) {
  std::string out;
  limit = std::min(limit, out.max_size() - 1);
  if (kind_ == BodyKind::length && remaining_ > limit) co_return too_large("body_too_large");
  while (!done()) {
    const std::size_t at = out.size();
    // One byte more than allowed, so that the limit itself still fits and more is seen.
    const std::uint64_t expected = kind_ == BodyKind::length ? remaining_ : kReadAllStep;
    const auto step =
        static_cast<std::size_t>(std::min<std::uint64_t>({expected, limit - at + 1, 1024 * 1024}));
    out.resize(at + step);
    const MutableByteView room(reinterpret_cast<std::uint8_t*>(out.data()) + at, step);
    Task<Result<std::size_t>> reading = read(room);
    auto got = co_await std::move(reading);
    if (!got) co_return std::move(got).error();
    out.resize(at + *got);
    if (out.size() > limit) co_return too_large("body_too_large");
  }
  co_return out;
}

}  // namespace convoy::net
