#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "wire/http/message.hpp"

/// Internal to net: HTTP/1.1 heads and chunks as text.
namespace convoy::net {

/// Field names are tokens and values hold no control characters, so that nothing taken from
/// elsewhere can split a message. Error "header_invalid".
Status check_headers(const http::Headers&);
/// A method, or a field name.
bool is_token(std::string_view);

void append_headers(std::string& out, const http::Headers&);
void append_status_line(std::string& out, int status);
/// "a: b\r\n"
void append_header(std::string& out, std::string_view name, std::string_view value);
/// One chunk with its framing. `data` must not be empty: that would be the end.
void append_chunk(std::string& out, ByteView data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(UnixTime);

}  // namespace convoy::net
