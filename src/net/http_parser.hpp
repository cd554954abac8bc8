#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/http/message.hpp"

/// Internal to net: HTTP/1.1 messages in and out. No I/O.
namespace convoy::net {

inline constexpr std::size_t kMaxTarget = 8 * 1024;

/// Where a head ends: the number of bytes up to and with its empty line. Nothing while that
/// has not come. `from`: how much was searched before.
std::optional<std::size_t> find_head_end(ByteView, std::size_t from = 0);

enum class BodyKind : std::uint8_t { none, length, chunked, until_close };

struct ParsedRequest {
  http::RequestHead head;
  bool http11 = true;
  bool keep_alive = true;
  bool expects_continue = false;
  BodyKind body = BodyKind::none;
  std::uint64_t length = 0;  ///< of a body of kind length
};
/// `head` is a complete head with its empty line. Errors say with their code what to answer:
/// see status_of().
Result<ParsedRequest> parse_request_head(ByteView head);
int status_of(const Error&);

struct ParsedResponse {
  http::ResponseHead head;
  bool keep_alive = true;
  BodyKind body = BodyKind::none;
  std::optional<std::uint64_t> length;  ///< Content-Length, also where no body follows
};
/// `no_body`: the answer to HEAD. Error "response_invalid".
Result<ParsedResponse> parse_response_head(ByteView head, bool no_body);

/// The chunked coding (RFC 9112 7.1). Trailers are read and dropped.
class ChunkDecoder {
 public:
  /// A chunk line or the trailers may be this long.
  static constexpr std::size_t kMaxLine = 8 * 1024;

  ChunkDecoder();
  ~ChunkDecoder();
  struct Progress {
    std::size_t consumed = 0;
    std::size_t produced = 0;
  };
  /// Reads from `in`, writes body bytes to `out`. No progress means that it needs more input.
  /// Error "chunk_invalid".
  Result<Progress> decode(ByteView in, MutableByteView out);
  bool done() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::net
