#include "wire/http/message.hpp"

#include <algorithm>

namespace convoy::http {
namespace {

constexpr std::size_t kMaxTarget = 8 * 1024;
constexpr std::size_t kMaxParameters = 64;

bool alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool unreserved(char c) {
  return alnum(c) || std::string_view("-._~").find(c) != std::string::npos;
}
/// pchar of RFC 3986 and what a query may hold besides, the percent sign included.
bool target_char(char c) {
  return unreserved(c) || std::string_view("!$&'()*+,;=:@/?%").find(c) != std::string::npos;
}

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

std::optional<std::string> decode(std::string_view in, bool plus_is_blank) {
  std::string out;
  out.reserve(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (in[i] != '%') {
      out += in[i];
    } else {
      if (in.size() - i < 3) return std::nullopt;
      const auto high = hex_value(in[i + 1]);
      const auto low = hex_value(in[i + 2]);
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high << 4 | *low);
      i += 2;
    }
  }
  return out;
}

bool safe_segment(std::string_view s) {
  if (s.empty() || s == "." || s == "..") return false;
  return std::none_of(s.begin(), s.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '/' || byte < 0x20 || byte == 0x7f;
  });
}

Status parse_path(std::string_view path, Target& out) {
  if (!path.starts_with('/')) return invalid("target_invalid", "not origin-form");
  path.remove_prefix(1);
  while (!path.empty()) {
    const auto slash = path.find('/');
    auto segment = decode(path.substr(0, slash), false);
    if (!segment || !safe_segment(*segment)) return invalid("target_invalid", "path segment");
    out.segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
  out.trailing_slash = true;
  return {};
}

Status parse_query(std::string_view query, Target& out) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.empty()) continue;
    if (out.query.size() == kMaxParameters) return invalid("target_invalid", "too many parameters");
    const auto equals = part.find('=');
    auto key = decode(part.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : decode(part.substr(equals + 1), true);
    if (!key || !value) return invalid("target_invalid", "percent-encoding of the query");
    out.query.emplace_back(*std::move(key), *std::move(value));
  }
  return {};
}

}  // namespace

std::string_view reason(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

std::optional<std::string_view> Target::query_value(std::string_view key) const {
  for (const auto& [name, value] : query) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Target::query_values(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const auto& [name, value] : query) {
    if (name == key) values.emplace_back(value);
  }
  return values;
}

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kMaxTarget) return invalid("target_invalid", "too long");
  if (!std::all_of(text.begin(), text.end(), target_char)) {
    return invalid("target_invalid", "character");
  }
  const auto mark = text.find('?');
  Target target;
  if (auto status = parse_path(text.substr(0, mark), target); !status) return status.error();
  if (mark != std::string_view::npos) {
    if (auto status = parse_query(text.substr(mark + 1), target); !status) return status.error();
  }
  return target;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (unreserved(c)) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace convoy::http
