#include "net/http_text.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <iterator>

namespace convoy::net {
namespace {

bool token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

bool value_char(char c) {
  const auto u = static_cast<unsigned char>(c);
  return c == '\t' || (u >= 0x20 && u != 0x7f);
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), token_char);
}

Status check_headers(const http::Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || !std::all_of(value.begin(), value.end(), value_char)) {
      return invalid("header_invalid", is_token(name) ? name : "field name");
    }
  }
  return {};
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_headers(std::string& out, const http::Headers& headers) {
  for (const auto& [name, value] : headers) append_header(out, name, value);
}

void append_status_line(std::string& out, int status) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", status, http::reason(status));
}

void append_chunk(std::string& out, ByteView data) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", data.size());
  out.append(as_text(data)).append("\r\n");
}

std::string http_date(UnixTime t) {
  const auto seconds = std::chrono::system_clock::to_time_t(t);
  return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(seconds));
}

}  // namespace convoy::net
