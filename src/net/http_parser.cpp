#include "net/http_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>

namespace convoy::net {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using Text = beast::string_view;

std::string to_string(Text text) { return {text.data(), text.size()}; }

/// Beast's parser with nothing but the head taken down.
template <bool isRequest>
class Parser : public beast::http::basic_parser<isRequest> {
 public:
  std::string method;
  std::string target;
  int status = 0;
  int version = 11;
  http::Headers headers;

  // For bodies: where decoded bytes go.
  MutableByteView out;
  std::size_t produced = 0;

 private:
  using error_code = beast::error_code;

  void on_request_impl(beast::http::verb, Text m, Text t, int v, error_code&) override {
    method = to_string(m);
    target = to_string(t);
    version = v;
  }
  void on_response_impl(int code, Text, int v, error_code&) override {
    status = code;
    version = v;
  }
  void on_field_impl(field, Text name, Text value, error_code&) override {
    headers.add(to_string(name), to_string(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Text body, error_code& ec) override { return take(body, ec); }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, error_code& ec) override {
    return take(body, ec);
  }
  void on_finish_impl(error_code&) override {}

  std::size_t take(Text body, error_code& ec) {
    const std::size_t n = std::min(body.size(), out.size() - produced);
    if (n > 0) std::memcpy(out.data() + produced, body.data(), n);
    produced += n;
    if (n < body.size()) ec = beast::http::error::need_buffer;
    return n;
  }
};

/// An obsolete folded line (RFC 9112 5.2): two parsers may see two different messages in it.
bool folded(ByteView head) {
  const std::string_view text = as_text(head);
  return text.find("\r\n ") != std::string_view::npos ||
         text.find("\r\n\t") != std::string_view::npos;
}

template <bool isRequest>
beast::error_code parse(Parser<isRequest>& parser, ByteView head) {
  parser.header_limit(static_cast<std::uint32_t>(head.size() + 1));
  parser.body_limit(boost::none);
  beast::error_code ec;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), ec);
  if (ec == beast::http::error::need_more) ec = {};
  if (!ec && !parser.is_header_done()) ec = beast::http::error::partial_message;
  return ec;
}

bool host_ok(std::string_view host) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::strchr("-._~:[]%", c) != nullptr;
  };
  return host.size() <= 300 && std::all_of(host.begin(), host.end(), ok);
}

bool target_ok(const std::string& method, const std::string& target) {
  if (method == "CONNECT") return target.find('/') == std::string::npos;
  if (target == "*") return method == "OPTIONS";
  return target.starts_with('/') || target.starts_with("http://") || target.starts_with("https://");
}

Status check_host(const http::Headers& headers, bool http11) {
  const auto hosts = headers.all("Host");
  if (hosts.size() > 1) return invalid("request_invalid", "several Host fields");
  if (hosts.empty() && http11) return invalid("request_invalid", "no Host field");
  if (!hosts.empty() && !host_ok(hosts.front())) return invalid("request_invalid", "Host field");
  return {};
}

Status read_framing(ParsedRequest& out) {
  const http::Headers& headers = out.head.headers;
  const auto codings = headers.all("Transfer-Encoding");
  const auto lengths = headers.all("Content-Length");
  if (codings.empty() && lengths.empty()) return {};
  if (!codings.empty()) {
    // With both, or below 1.1, two servers could disagree on where the message ends.
    if (!lengths.empty() || !out.http11 || codings.size() > 1) {
      return invalid("request_invalid", "contradicting framing");
    }
    if (!http::iequals(codings.front(), "chunked")) {
      return invalid("coding_unsupported", "transfer coding");
    }
    out.body = BodyKind::chunked;
    return {};
  }
  if (lengths.size() > 1 || lengths.front().find(',') != std::string_view::npos) {
    return invalid("request_invalid", "several lengths");
  }
  out.body = out.length > 0 ? BodyKind::length : BodyKind::none;
  return {};
}

Status read_expectation(ParsedRequest& out) {
  const auto expectations = out.head.headers.all("Expect");
  if (expectations.empty()) return {};
  if (expectations.size() > 1 || !http::iequals(expectations.front(), "100-continue")) {
    return invalid("expectation_failed", "unknown expectation");
  }
  out.expects_continue = out.http11 && out.body != BodyKind::none;
  return {};
}

}  // namespace

std::optional<std::size_t> find_head_end(ByteView bytes, std::size_t from) {
  const std::size_t start = from > 3 ? from - 3 : 0;
  const auto at = as_text(bytes).find("\r\n\r\n", start);
  if (at == std::string_view::npos) return std::nullopt;
  return at + 4;
}

int status_of(const Error& error) {
  if (error.code() == "uri_too_long") return 414;
  if (error.code() == "head_too_large") return 431;
  if (error.code() == "coding_unsupported") return 501;
  if (error.code() == "version_unsupported") return 505;
  if (error.code() == "expectation_failed") return 417;
  if (error.code() == "request_timeout") return 408;
  return 400;
}

Result<ParsedRequest> parse_request_head(ByteView head) {
  if (folded(head)) return invalid("request_invalid", "folded header line");
  Parser<true> parser;
  const auto ec = parse(parser, head);
  if (ec == beast::http::error::bad_version) return invalid("version_unsupported", ec.message());
  if (ec) return invalid("request_invalid", ec.message());
  if (parser.target.size() > kMaxTarget) return invalid("uri_too_long");
  if (!target_ok(parser.method, parser.target)) return invalid("request_invalid", "target form");

  ParsedRequest out;
  out.http11 = parser.version >= 11;
  out.keep_alive = parser.keep_alive();
  out.length = parser.content_length().value_or(0);
  out.head = {std::move(parser.method), std::move(parser.target), std::move(parser.headers)};
  if (auto host = check_host(out.head.headers, out.http11); !host) return std::move(host).error();
  if (auto framing = read_framing(out); !framing) return std::move(framing).error();
  if (auto expect = read_expectation(out); !expect) return std::move(expect).error();
  return out;
}

Result<ParsedResponse> parse_response_head(ByteView head, bool no_body) {
  Parser<false> parser;
  parser.skip(no_body);
  const auto ec = parse(parser, head);
  if (ec) return unavailable("response_invalid", ec.message());
  ParsedResponse out;
  out.keep_alive = parser.keep_alive();
  if (const auto given = parser.content_length()) out.length = *given;
  out.head = {parser.status, std::move(parser.headers)};
  const bool coded = out.head.headers.has("Transfer-Encoding");
  if (no_body || parser.status < 200 || parser.status == 204 || parser.status == 304) {
    out.body = BodyKind::none;
  } else if (parser.chunked()) {
    out.body = BodyKind::chunked;
  } else if (out.length && !coded) {
    out.body = *out.length > 0 ? BodyKind::length : BodyKind::none;
  } else {
    out.body = BodyKind::until_close;
    out.keep_alive = false;
  }
  return out;
}

/// Beast decodes chunks only behind a head, so it is given one.
struct ChunkDecoder::Impl {
  /// Beast asserts that no last chunk comes in smaller pieces, and none is shorter.
  static constexpr std::size_t kLeast = 5;
  Parser<true> parser;
  bool begun = false;
};

ChunkDecoder::ChunkDecoder() : impl_(std::make_unique<Impl>()) {
  static constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  beast::error_code ec;
  impl_->parser.body_limit(boost::none);
  impl_->parser.put(boost::asio::const_buffer(kHead.data(), kHead.size()), ec);
  impl_->parser.eager(true);
}

ChunkDecoder::~ChunkDecoder() = default;

bool ChunkDecoder::done() const { return impl_->parser.is_done(); }

Result<ChunkDecoder::Progress> ChunkDecoder::decode(ByteView in, MutableByteView out) {
  auto& parser = impl_->parser;
  parser.out = out;
  parser.produced = 0;
  Progress progress;
  if (!impl_->begun && in.size() < Impl::kLeast) return progress;
  while (progress.consumed < in.size() && parser.produced < out.size() && !parser.is_done()) {
    const ByteView rest = in.subspan(progress.consumed);
    beast::error_code ec;
    const std::size_t n = parser.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    progress.consumed += n;
    if (ec == beast::http::error::need_more || ec == beast::http::error::need_buffer) break;
    if (ec) return invalid("chunk_invalid", ec.message());
  }
  progress.produced = parser.produced;
  impl_->begun = impl_->begun || progress.consumed > 0;
  const bool stuck = progress.consumed == 0 && progress.produced == 0;
  if (stuck && in.size() >= kMaxLine) return invalid("chunk_invalid", "line too long");
  return progress;
}

}  // namespace convoy::net
