#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "wire/http/headers.hpp"

namespace convoy::http {

/// The head of a request as it stood on the wire (RFC 9112).
struct RequestHead {
  std::string method;  ///< "GET", upper case as sent
  std::string target;  ///< origin-form, absolute-form or authority-form (CONNECT)
  Headers headers;
};

struct ResponseHead {
  int status = 200;
  Headers headers;
};

/// The reason phrase of a status, "" when it has none.
std::string_view reason(int status);

/// An origin-form target taken apart. Decoded once; a segment that is empty (but for a
/// trailing one), ".", "..", or holds '/', NUL or a control character after decoding is
/// refused, so no later layer meets one.
struct Target {
  std::vector<std::string> segments;  ///< "/v2/a/b/" gives v2 a b
  bool trailing_slash = false;
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order

  std::optional<std::string_view> query_value(std::string_view key) const;  ///< first of that key
  std::vector<std::string_view> query_values(std::string_view key) const;
};

/// At most 8 KiB and 64 query parameters. Error code "target_invalid".
Result<Target> parse_target(std::string_view origin_form);

/// Percent-encodes all but the unreserved characters of RFC 3986 2.3.
std::string percent_encode(std::string_view);

/// An http or https URL taken apart.
struct Url {
  bool tls = true;
  std::string host;  ///< without brackets for IPv6
  std::uint16_t port = 443;
  std::string target = "/";  ///< path and query, as in origin-form

  std::string authority() const;  ///< host[:port], the port only when it is not the default
  std::string str() const;
};
/// Refuses user info, fragments, other schemes, an empty host. Error code "url_invalid".
Result<Url> parse_url(std::string_view);

}  // namespace convoy::http
