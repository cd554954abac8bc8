#include "net/http_call.hpp"

#include <algorithm>

#include "base/version.hpp"
#include "net/http_text.hpp"
#include "net/steady.hpp"

namespace convoy::net {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kInputStep = 8 * 1024;
constexpr int kMaxInterim = 16;

bool clients_own(std::string_view name) {
  for (const std::string_view own :
       {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect"}) {
    if (http::iequals(name, own)) return true;
  }
  return false;
}

bool target_ok(std::string_view target) {
  const auto ok = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; };
  return target.starts_with('/') && std::all_of(target.begin(), target.end(), ok);
}

bool carries_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

bool broke_off(const Error& error) {
  return error.code() == "stream_reset" || error.code() == "stream_truncated";
}

}  // namespace

Result<std::string> request_text(const HttpRequest& request) {
  if (!is_token(request.method)) return invalid("request_invalid", "method");
  if (!target_ok(request.url.target)) return invalid("request_invalid", "target");
  if (auto checked = check_headers(request.headers); !checked) return std::move(checked).error();
  std::string out = request.method + " " + request.url.target + " HTTP/1.1\r\n";
  append_header(out, "Host", request.url.authority());
  for (const auto& [name, value] : request.headers) {
    if (!clients_own(name)) append_header(out, name, value);
  }
  if (!request.headers.has("User-Agent")) {
    append_header(out, "User-Agent", "convoy/" + std::string(kVersion));
  }
  if (request.source && !request.source_length) {
    append_header(out, "Transfer-Encoding", "chunked");
  } else if (request.source || !request.body.empty() || carries_body(request.method)) {
    const std::uint64_t n = request.source ? *request.source_length : request.body.size();
    append_header(out, "Content-Length", std::to_string(n));
  }
  out += "\r\n";
  return out;
}

void HttpCall::set_timeout(bool for_head) {
  const Duration left =
      std::max<Duration>(deadline_.time() - steady_now(), std::chrono::milliseconds(1));
  const bool bounded = !for_head && options_.idle_timeout != Duration::zero();
  connection_.stream->set_idle_timeout(bounded ? std::min(left, options_.idle_timeout) : left);
}

Error HttpCall::failure(Error error) {
  if (error.kind() == ErrorClass::timeout && deadline_.passed(steady_now())) {
    return timed_out("request_timeout", "no answer from " + request_.url.host);
  }
  stale_ = !answered_ && broke_off(error);
  return error;
}

Task<Result<ParsedResponse>> HttpCall::run() {
  auto sent = co_await send();
  if (early_) {
    connection_.stream->set_idle_timeout(options_.idle_timeout);
    co_return std::move(*early_);
  }
  // A server that refuses early closes its end, but its answer may be here already.
  const bool try_answer = sent.ok() || broke_off(sent.error());
  if (!try_answer) co_return failure(std::move(sent).error());
  auto answer = co_await read_final();
  if (!answer) co_return failure(std::move(answer).error());
  if (!sent) answer->keep_alive = false;
  connection_.stream->set_idle_timeout(options_.idle_timeout);
  co_return answer;
}

Task<Status> HttpCall::send() {
  set_timeout(false);
  if (!request_.source && request_.body.size() <= kPiece) {
    const std::string whole = head_ + request_.body;
    auto written = co_await connection_.stream->write(as_bytes(whole));
    co_return written;
  }
  auto written = co_await connection_.stream->write(as_bytes(head_));
  if (!written) co_return written;
  Task<Status> rest = request_.source ? send_source() : send_body();
  auto sent = co_await std::move(rest);
  co_return sent;
}

Task<Status> HttpCall::send_body() {
  ByteView rest = as_bytes(request_.body);
  while (!rest.empty() && !early_) {
    const ByteView piece = rest.first(std::min(rest.size(), kPiece));
    set_timeout(false);
    auto written = co_await connection_.stream->write(piece);
    if (!written) co_return written;
    rest = rest.subspan(piece.size());
    if (rest.empty()) break;
    auto checked = co_await check_early_answer();
    if (!checked) co_return checked;
  }
  co_return Status{};
}

Task<Status> HttpCall::send_source() {
  Bytes buffer(kPiece);
  std::string chunk;
  std::uint64_t sent = 0;
  const auto length = request_.source_length;
  const Duration patience = deadline_.time() - steady_now();
  while (!early_) {
    streamed_ = true;
    Task<Result<std::size_t>> reading = request_.source(buffer);
    auto got = co_await std::move(reading);
    if (!got) co_return std::move(got).error();
    // A body that moves may take its time: the patience is for the answer.
    deadline_ = Deadline::at(steady_after(patience));
    if (*got > buffer.size()) co_return internal_error("request_body", "source overran its buffer");
    sent += *got;
    if (length && (sent > *length || (*got == 0 && sent < *length))) {
      co_return internal_error("request_body", "not the length promised");
    }
    const ByteView data = ByteView(buffer).first(*got);
    chunk.clear();
    if (!length && data.empty()) chunk = kLastChunk;
    if (!length && !data.empty()) append_chunk(chunk, data);
    const ByteView framed = length ? data : as_bytes(chunk);
    set_timeout(false);
    auto written = co_await connection_.stream->write(framed);
    if (!written) co_return written;
    if (data.empty()) break;
    auto checked = co_await check_early_answer();
    if (!checked) co_return checked;
  }
  co_return Status{};
}

Task<Status> HttpCall::check_early_answer() {
  if (deadline_.passed(steady_now())) co_return timed_out("request_timeout");
  if (connection_.stream->quiet()) co_return Status{};
  auto answer = co_await read_one();
  if (!answer) co_return std::move(answer).error();
  if (answer->head.status >= 200) {
    answer->keep_alive = false;
    early_ = std::move(*answer);
  }
  co_return Status{};
}

Task<Result<ParsedResponse>> HttpCall::read_final() {
  for (;;) {
    auto answer = co_await read_one();
    if (!answer || answer->head.status >= 200) co_return answer;
  }
}

Task<Result<ParsedResponse>> HttpCall::read_one() {
  InputBuffer& input = connection_.input;
  std::size_t searched = 0;
  for (;;) {
    const auto end = find_head_end(input.view(), searched);
    if (end.value_or(input.size()) > options_.header_bytes) {
      co_return unavailable("response_invalid", "head too large");
    }
    if (end) {
      auto parsed = parse_response_head(input.view().first(*end), request_.method == "HEAD");
      input.consume(*end);
      if (!parsed) co_return parsed;
      const int status = parsed->head.status;
      if (status == 101 || (status < 200 && ++interim_ > kMaxInterim)) {
        co_return unavailable("response_invalid", "interim answers");
      }
      co_return parsed;
    }
    searched = input.size();
    set_timeout(true);
    const MutableByteView room = input.prepare(kInputStep);
    auto got = co_await connection_.stream->read_some(room);
    if (!got) co_return std::move(got).error();
    if (*got == 0) co_return unavailable("stream_truncated", "the server closed without an answer");
    answered_ = true;
    input.commit(*got);
  }
}

}  // namespace convoy::net
