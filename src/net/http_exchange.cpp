#include "net/http_exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include "net/buffer_pool.hpp"
#include "net/http_text.hpp"

namespace convoy::net {
namespace {

/// A rest of the request's body up to this is read and dropped to keep the connection.
constexpr std::uint64_t kDiscard = 64 * 1024;
/// What is sent at once where it has to be framed or paid for.
constexpr std::size_t kPiece = 64 * 1024;
/// A body up to this is soon gone, and does not stand in line behind large ones.
constexpr std::uint64_t kBrief = 16 * 1024;
/// A body up to this travels with its head.
constexpr std::size_t kTogether = 64 * 1024;

bool servers_own(std::string_view name) {
  for (const std::string_view own :
       {"Content-Length", "Transfer-Encoding", "Connection", "X-Request-Id"}) {
    if (http::iequals(name, own)) return true;
  }
  return false;
}

bool well_formed_id(std::string_view id) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return id.size() >= 8 && id.size() <= 64 && std::all_of(id.begin(), id.end(), ok);
}

bool bodiless(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

const std::string& HttpServerShared::date() {
  const UnixTime now = clock.wall();
  if (now != date_time) {
    date_time = now;
    date_text = http_date(now);
  }
  return date_text;
}

std::string HttpServerShared::new_request_id(const http::Headers& headers) {
  const auto given = headers.single("X-Request-Id");
  return given && well_formed_id(*given) ? std::string(*given) : random.hex(8);
}

Exchange::Exchange(HttpServerShared& shared, StreamPtr& stream, const std::optional<TlsInfo>& tls,
                   InputBuffer& input, ParsedRequest request)
    : shared_(shared),
      stream_(stream),
      input_(input),
      request_(std::move(request)),
      remote_(stream->remote()),
      tls_(tls),
      body_(*stream, input, request_.body, request_.length,
            {shared.options.limits.min_body_rate, shared.options.limits.body_span}),
      id_(shared.new_request_id(request_.head.headers)) {}

Task<Status> Exchange::ask_for_body() {
  if (!request_.expects_continue || started()) co_return Status{};
  request_.expects_continue = false;
  if (!input_.empty()) co_return Status{};  // it did not wait
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  auto written = co_await stream_->write(as_bytes(kContinue));
  if (!written) failed_ = true;
  co_return written;
}

Task<Result<std::size_t>> Exchange::read_body(MutableByteView out) {
  if (!stream_) co_return internal_error("stream_taken");
  auto asked = co_await ask_for_body();
  if (!asked) co_return std::move(asked).error();
  auto got = co_await body_.read(out);
  if (!got) close_ = true;
  co_return got;
}

Task<Result<std::string>> Exchange::read_all(std::size_t limit) {
  if (!stream_) co_return internal_error("stream_taken");
  if (body_.remaining().value_or(0) > limit) co_return too_large("body_too_large");
  auto asked = co_await ask_for_body();
  if (!asked) co_return std::move(asked).error();
  auto got = co_await body_.read_all(limit);
  if (!got) close_ = true;
  co_return got;
}

std::optional<std::uint64_t> Exchange::body_length() const {
  return request_.body == BodyKind::chunked ? std::nullopt : body_length_given();
}

std::optional<std::uint64_t> Exchange::body_length_given() const {
  if (!request_.head.headers.has("Content-Length")) return std::nullopt;
  return request_.length;
}

bool Exchange::must_close(const http::Headers& headers) const {
  if (!request_.keep_alive || shared_.draining || close_) return true;
  if (request_.expects_continue && !body_.done()) return true;
  if (body_.remaining().value_or(kDiscard + 1) > kDiscard) return true;
  for (const auto& value : headers.all("Connection")) {
    if (http::iequals(value, "close")) return true;
  }
  return false;
}

Exchange::Framing Exchange::choose_framing(int status, std::optional<std::uint64_t> length) {
  head_only_ = bodiless(status) || request_.head.method == "HEAD";
  if (bodiless(status)) return Framing::none;
  if (length) {
    length_ = *length;
    return Framing::length;
  }
  return request_.http11 ? Framing::chunked : Framing::until_close;
}

Status Exchange::begin(const http::ResponseHead& head, std::optional<std::uint64_t> length) {
  if (started() || !stream_) return internal_error("response_started");
  if (head.status < 200 || head.status > 999) return internal_error("response_status");
  if (auto checked = check_headers(head.headers); !checked) {
    return internal_error("header_invalid", checked.error().detail());
  }
  status_ = head.status;
  framing_ = choose_framing(status_, length);
  close_ = must_close(head.headers) || framing_ == Framing::until_close;

  std::string& out = pending_;
  append_status_line(out, status_);
  for (const auto& [name, value] : head.headers) {
    if (!servers_own(name)) append_header(out, name, value);
  }
  for (const auto& [name, value] : shared_.options.extra_headers) {
    if (!head.headers.has(name)) append_header(out, name, value);
  }
  if (!head.headers.has("Date")) append_header(out, "Date", shared_.date());
  append_header(out, "X-Request-Id", id_);
  if (framing_ == Framing::length) append_header(out, "Content-Length", std::to_string(length_));
  if (framing_ == Framing::chunked) append_header(out, "Transfer-Encoding", "chunked");
  if (close_) append_header(out, "Connection", "close");
  if (!close_ && !request_.http11) append_header(out, "Connection", "keep-alive");
  out += "\r\n";
  return {};
}

Task<Status> Exchange::respond(http::ResponseHead head, std::string body) {
  auto begun = begin(head, body.size());
  if (!begun) co_return begun;
  auto written = co_await write(as_bytes(body));
  if (!written) co_return written;
  auto flushed = co_await flush();
  co_return flushed;
}

Task<Status> Exchange::start(http::ResponseHead head, std::optional<std::uint64_t> length) {
  auto begun = begin(head, length);
  if (!begun) co_return begun;
  if (length && *length > 0 && *length <= kTogether && !head_only_) co_return Status{};
  auto flushed = co_await flush();
  co_return flushed;
}

Task<Status> Exchange::flush() {
  if (failed_ || !stream_) co_return unavailable("stream_failed", "the connection is broken");
  if (pending_.empty()) co_return Status{};
  const std::string text = std::exchange(pending_, {});
  auto written = co_await stream_->write(as_bytes(text));
  if (!written) failed_ = true;
  co_return written;
}

Status Exchange::may_send(std::uint64_t n) {
  if (!started()) return internal_error("response_not_started");
  if (failed_ || !stream_) return unavailable("stream_failed", "the connection is broken");
  if (framing_ != Framing::length || head_only_ || n <= length_ - sent_) return {};
  failed_ = true;
  return internal_error("body_overrun", "more than the length promised");
}

Task<Status> Exchange::pass(std::uint64_t bytes) {
  const auto& egress = shared_.options.egress;
  if (!egress || egress->rate() == 0) co_return Status{};
  const bool brief = framing_ == Framing::length && length_ <= kBrief;
  const auto line = brief ? RateLimiter::Line::brief : RateLimiter::Line::many;
  if (!co_await egress->acquire(bytes, line)) co_return cancelled();
  co_return Status{};
}

std::size_t Exchange::piece_limit() const {
  const auto& egress = shared_.options.egress;
  if (egress && egress->rate() != 0) return egress->turn(kPiece);
  return framing_ == Framing::chunked ? kPiece : SIZE_MAX;
}

Task<Status> Exchange::write(ByteView data) {
  auto allowed = may_send(data.size());
  if (!allowed) co_return allowed;
  if (data.empty() || head_only_) {
    auto flushed = co_await flush();
    co_return flushed;
  }
  auto sent = co_await send(data);
  if (!sent) failed_ = true;
  co_return sent;
}

Task<Status> Exchange::send(ByteView data) {
  while (!data.empty()) {
    const ByteView piece = data.first(std::min(data.size(), piece_limit()));
    auto passed = co_await pass(piece.size());
    if (!passed) co_return passed;
    auto written = co_await send_piece(piece);
    if (!written) co_return written;
    sent_ += piece.size();
    data = data.subspan(piece.size());
  }
  co_return Status{};
}

Task<Status> Exchange::send_piece(ByteView piece) {
  if (framing_ == Framing::chunked) {
    append_chunk(pending_, piece);
    return flush();
  }
  if (!pending_.empty() && piece.size() <= kTogether) {
    pending_.append(as_text(piece));
    return flush();
  }
  return flush_then_write(piece);
}

Task<Status> Exchange::flush_then_write(ByteView piece) {
  auto flushed = co_await flush();
  if (!flushed) co_return flushed;
  auto written = co_await stream_->write(piece);
  co_return written;
}

Task<Status> Exchange::send_file(int fd, std::uint64_t offset, std::uint64_t length) {
  auto allowed = may_send(length);
  if (!allowed) co_return allowed;
  if (head_only_ || length == 0) {
    auto flushed = co_await flush();
    co_return flushed;
  }
  const bool copied = framing_ == Framing::chunked || (!pending_.empty() && length <= kTogether);
  Task<Status> sending =
      copied ? copy_file(fd, offset, length) : send_file_pieces(fd, offset, length);
  auto sent = co_await std::move(sending);
  if (!sent) failed_ = true;
  co_return sent;
}

Task<Status> Exchange::send_file_pieces(int fd, std::uint64_t offset, std::uint64_t length) {
  auto flushed = co_await flush();
  if (!flushed) co_return flushed;
  while (length > 0) {
    const std::uint64_t step = std::min<std::uint64_t>(length, piece_limit());
    auto passed = co_await pass(step);
    if (!passed) co_return passed;
    auto written = co_await stream_->send_file(fd, offset, step);
    if (!written) co_return written;
    sent_ += step;
    offset += step;
    length -= step;
  }
  co_return Status{};
}

Task<Status> Exchange::copy_file(int fd, std::uint64_t offset, std::uint64_t length) {
  PooledBuffer buffer = PooledBuffer::take(stream_->executor());
  while (length > 0) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(length, kPiece));
    const ssize_t n = ::pread(fd, buffer.span().data(), step, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) co_return internal_error("file_failed", std::to_string(errno));
    if (n == 0) co_return corrupt("file_short", "the file ended before the length promised");
    const auto got = static_cast<std::size_t>(n);
    auto written = co_await send(buffer.span().first(got));
    if (!written) co_return written;
    offset += got;
    length -= got;
  }
  co_return Status{};
}

Task<Result<StreamPtr>> Exchange::take_stream() {
  if (request_.head.method != "CONNECT" || started() || !stream_) {
    co_return internal_error("response_started", "only a CONNECT without answer can be taken");
  }
  if (!input_.empty()) {
    close_ = true;
    co_return invalid("connect_early", "bytes before the answer to CONNECT");
  }
  static constexpr std::string_view kEstablished = "HTTP/1.1 200 Connection Established\r\n\r\n";
  status_ = 200;
  auto written = co_await stream_->write(as_bytes(kEstablished));
  if (!written) {
    failed_ = true;
    co_return std::move(written).error();
  }
  StreamPtr taken = std::move(stream_);
  co_return taken;
}

Task<bool> Exchange::discard_body() {
  Bytes sink(body_.done() ? 0 : 16 * 1024);
  std::uint64_t dropped = 0;
  while (!body_.done() && dropped <= kDiscard) {
    auto got = co_await body_.read(sink);
    if (!got) co_return false;
    dropped += *got;
  }
  co_return body_.done();
}

Task<void> Exchange::finish() {
  if (!stream_) co_return;
  if (!started() && !failed_) {
    shared_.log.warn("handler gave no answer", {{"request_id", id_}});
    http::ResponseHead head;
    head.status = 500;
    head.headers.add("Content-Type", "text/plain");
    static_cast<void>(co_await respond(std::move(head), "internal error\n"));
  }
  const bool whole = head_only_ || framing_ != Framing::length || sent_ == length_;
  if (failed_ || !whole) co_return;
  if (framing_ == Framing::chunked && !head_only_) pending_ += kLastChunk;
  auto flushed = co_await flush();
  if (!flushed) co_return;
  complete_ = true;
  if (!close_) reusable_ = co_await discard_body();
}

}  // namespace convoy::net
