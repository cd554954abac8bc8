#include "net/http_parser.hpp"

#include <gtest/gtest.h>

#include "net/http_text.hpp"

namespace convoy::net {
namespace {

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }

int refusal(const std::string& head) {
  auto parsed = parse_request_head(as_bytes(head));
  return parsed.ok() ? 0 : status_of(parsed.error());
}

TEST(RequestHead, is_taken_apart) {
  auto parsed = parse_request_head(
      as_bytes("PUT /v2/a?b=c HTTP/1.1\r\nHost: x:5\r\nAccept: a\r\nACCEPT:  b \r\n"
               "Content-Length: 7\r\nExpect: 100-Continue\r\n\r\n"));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->head.method, "PUT");
  EXPECT_EQ(parsed->head.target, "/v2/a?b=c");
  EXPECT_EQ(parsed->head.headers.all("accept"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(parsed->length, 7u);
  EXPECT_EQ(parsed->body, BodyKind::length);
  EXPECT_TRUE(parsed->expects_continue);
  EXPECT_TRUE(parsed->keep_alive);
}

TEST(RequestHead, keep_alive_follows_version_and_connection) {
  const auto keep = [](const std::string& head) {
    return parse_request_head(as_bytes(head))->keep_alive;
  };
  EXPECT_TRUE(keep(get("Host: x\r\n")));
  EXPECT_FALSE(keep(get("Host: x\r\nConnection: Close\r\n")));
  EXPECT_FALSE(keep("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keep("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestHead, a_message_whose_end_could_be_argued_about_is_refused) {
  const std::string host = "Host: x\r\n";
  EXPECT_EQ(refusal(get(host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "Content-Length: 1\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "Content-Length: 1\r\nContent-Length: 2\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "Content-Length: 1, 1\r\n")), 400);
  for (const char* bad : {"", "-1", "+1", "0x1", "1 1", "99999999999999999999", "1;", "a"}) {
    EXPECT_EQ(refusal(get(host + "Content-Length: " + bad + "\r\n")), 400) << bad;
  }
  EXPECT_EQ(refusal(get(host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
            400);
  EXPECT_EQ(refusal(get(host + "Transfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(refusal(get(host + "Transfer-Encoding: chunked, identity\r\n")), 501);
  EXPECT_EQ(refusal(get(host + "Transfer-Encoding: identity\r\n")), 501);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refusal(get(host + "Transfer-Encoding : chunked\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "A: b\r\n folded\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "A: b\r\n\tfolded\r\n")), 400);
  EXPECT_EQ(refusal(get(host + " A: b\r\n")), 400);
}

TEST(RequestHead, malformed_heads_are_refused) {
  const std::string host = "Host: x\r\n";
  EXPECT_EQ(refusal(get("")), 400) << "no Host";
  EXPECT_EQ(refusal(get(host + host)), 400) << "two Hosts";
  EXPECT_EQ(refusal(get("Host: a/b\r\n")), 400);
  EXPECT_EQ(refusal(get("Host: user@b\r\n")), 400);
  EXPECT_EQ(refusal("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / \r\nHost: x\r\n\r\n"), 505);
  EXPECT_EQ(refusal("G@T / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET relative HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET * HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refusal("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
  EXPECT_EQ(refusal("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"), 0);
  EXPECT_EQ(refusal("CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
  EXPECT_EQ(refusal(get(host + "Expect: something\r\n")), 417);
  EXPECT_EQ(refusal(get(host + "no colon\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "A: b\nC: d\r\n")), 400);
  EXPECT_EQ(refusal(get(host + "A: b" + std::string(1, '\0') + "\r\n")), 400);
}

TEST(RequestHead, a_target_of_8_KiB_passes_and_one_more_is_414) {
  const auto with = [](std::size_t n) {
    return "GET /" + std::string(n - 1, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
  };
  EXPECT_EQ(refusal(with(kMaxTarget)), 0);
  EXPECT_EQ(refusal(with(kMaxTarget + 1)), 414);
}

TEST(HeadEnd, is_found_across_pieces) {
  const std::string text = "a\r\n\r\nb";
  EXPECT_EQ(find_head_end(as_bytes(text)), 5u);
  EXPECT_EQ(find_head_end(as_bytes(text), 4), 5u);
  EXPECT_EQ(find_head_end(as_bytes("a\r\n\r")), std::nullopt);
}

TEST(ResponseHead, decides_how_the_body_ends) {
  const auto parse = [](const std::string& text, bool head = false) {
    return parse_response_head(as_bytes("HTTP/1.1 " + text + "\r\n"), head);
  };
  EXPECT_EQ(parse("200 OK\r\nContent-Length: 5\r\n")->body, BodyKind::length);
  EXPECT_EQ(parse("200 OK\r\nContent-Length: 5\r\n", true)->body, BodyKind::none);
  EXPECT_TRUE(parse("200 OK\r\nContent-Length: 5\r\n", true)->keep_alive);
  EXPECT_TRUE(parse("200 OK\r\n", true)->keep_alive);
  EXPECT_EQ(parse("204 No Content\r\n")->body, BodyKind::none);
  EXPECT_TRUE(parse("204 No Content\r\n")->keep_alive);
  EXPECT_EQ(parse("304 Not Modified\r\nContent-Length: 5\r\n")->body, BodyKind::none);
  EXPECT_EQ(parse("200 OK\r\nTransfer-Encoding: chunked\r\n")->body, BodyKind::chunked);
  EXPECT_EQ(parse("200 OK\r\n")->body, BodyKind::until_close);
  EXPECT_FALSE(parse("200 OK\r\n")->keep_alive);
  EXPECT_EQ(parse("200 \r\nContent-Length: 0\r\n")->body, BodyKind::none);
  EXPECT_FALSE(parse("200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n").ok());
  EXPECT_FALSE(parse("200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n").ok());
  EXPECT_FALSE(parse("20 OK\r\n").ok());
  EXPECT_FALSE(parse_response_head(as_bytes("HTTP/2 200 OK\r\n\r\n"), false).ok());
}

std::string decode_all(const std::string& text, std::size_t in_step, std::size_t out_step,
                       bool& done) {
  ChunkDecoder decoder;
  std::string held;
  std::string out;
  std::size_t at = 0;
  Bytes room(out_step);
  for (int idle = 0; idle < 2 && !decoder.done();) {
    if (at < text.size()) {
      held += text.substr(at, in_step);
      at += in_step;
      idle = 0;
    }
    auto progress = decoder.decode(as_bytes(held), room);
    if (!progress) return "error";
    held.erase(0, progress->consumed);
    out.append(as_text(ByteView(room).first(progress->produced)));
    if (progress->consumed + progress->produced == 0 && at >= text.size()) ++idle;
  }
  done = decoder.done();
  return out;
}

TEST(ChunkDecoder, decodes_whatever_the_pieces) {
  const std::string text =
      "5\r\nhello\r\n1;ext=\"x\"\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  for (const std::size_t in_step : {1u, 2u, 7u, 1000u}) {
    for (const std::size_t out_step : {1u, 3u, 1000u}) {
      bool done = false;
      EXPECT_EQ(decode_all(text, in_step, out_step, done), "hello 0123456789");
      EXPECT_TRUE(done);
    }
  }
}

TEST(ChunkDecoder, an_empty_body_may_come_byte_by_byte) {
  bool done = false;
  EXPECT_EQ(decode_all("0\r\n\r\n", 1, 10, done), "");
  EXPECT_TRUE(done);
  EXPECT_EQ(decode_all("0\r\nA: b\r\n\r\n", 1, 10, done), "");
  EXPECT_TRUE(done);
}

TEST(ChunkDecoder, what_is_written_is_read_back) {
  std::string text;
  append_chunk(text, as_bytes("abc"));
  append_chunk(text, as_bytes(std::string(70'000, 'x')));
  text += kLastChunk;
  bool done = false;
  EXPECT_EQ(decode_all(text, 1000, 4096, done), "abc" + std::string(70'000, 'x'));
  EXPECT_TRUE(done);
}

TEST(ChunkDecoder, refuses_what_is_not_chunked) {
  for (const char* bad :
       {"x\r\nhello", "-1\r\nx", "5\r\nhelloXX0\r\n\r\n", "\r\n\r\nx", "ffffffffffffffffff\r\n",
        "5\nhello\r\n", "0x5\r\nhello\r\n\r\n", "5 5\r\nhello\r\n", "0\r\nno colon\r\n\r\n"}) {
    bool done = false;
    EXPECT_EQ(decode_all(bad, 1000, 1000, done), "error") << bad;
  }
}

TEST(ChunkDecoder, bounds_the_chunk_line) {
  ChunkDecoder decoder;
  Bytes out(100);
  const std::string shorter = "5;" + std::string(ChunkDecoder::kMaxLine - 3, 'a');
  EXPECT_TRUE(decoder.decode(as_bytes(shorter), out).ok());
  const std::string longer = shorter + "a";
  EXPECT_EQ(decoder.decode(as_bytes(longer), out).error().code(), "chunk_invalid");
}

TEST(HeaderText, nothing_can_split_a_message) {
  const auto check = [](const std::string& name, const std::string& value) {
    http::Headers headers;
    headers.add(name, value);
    return check_headers(headers).ok();
  };
  EXPECT_TRUE(check("X-A", "b c\td\xc3\xa4"));
  EXPECT_FALSE(check("X-A", "b\r\nc: d"));
  EXPECT_FALSE(check("X-A", "b\nc"));
  EXPECT_FALSE(check("X-A", std::string("b\0c", 3)));
  EXPECT_FALSE(check("X A", "b"));
  EXPECT_FALSE(check("X-A:", "b"));
  EXPECT_FALSE(check("", "b"));
}

TEST(HttpDate, has_the_fixed_form) {
  EXPECT_EQ(http_date(UnixTime(std::chrono::seconds(784111777))), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace convoy::net
