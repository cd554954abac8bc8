#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/http_buffer.hpp"
#include "net/http_parser.hpp"
#include "net/pace.hpp"
#include "net/stream.hpp"

namespace convoy::net {

/// Internal to net: the body of one incoming message, whichever side reads it. Bytes of a body of
/// known length go from the connection straight into the reader's buffer.
class BodyReader {
 public:
  BodyReader(Stream& stream, InputBuffer& input, BodyKind kind, std::uint64_t length,
             Pace pace = {0, {}});

  /// 0 at the end. Errors "stream_truncated" when the connection ends first, "chunk_invalid",
  /// "body_too_slow", those of the stream.
  Task<Result<std::size_t>> read(MutableByteView);
  /// Error "body_too_large".
  Task<Result<std::string>> read_all(std::size_t limit);

  bool done() const { return kind_ == BodyKind::none; }
  /// What is still to come of a body of known length.
  std::optional<std::uint64_t> remaining() const;

 private:
  Task<Result<std::size_t>> read_raw(MutableByteView);
  Task<Result<std::size_t>> read_chunked(MutableByteView);
  Task<Result<std::size_t>> read_to_close(MutableByteView);
  Result<std::size_t> judge(Result<std::size_t> got, SteadyTime asked);

  Stream& stream_;
  InputBuffer& input_;
  BodyKind kind_;
  Pace pace_;
  std::uint64_t remaining_ = 0;
  std::unique_ptr<ChunkDecoder> chunks_;
};

}  // namespace convoy::net
