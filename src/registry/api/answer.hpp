#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/http_server.hpp"
#include "wire/http/message.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::registry {

http::ResponseHead head_of(int status);
/// Adds ETag and Docker-Content-Digest.
void set_digest(http::ResponseHead&, const oci::Digest&);
/// Whether If-None-Match names the digest (RFC 9110 13.1.2).
bool none_match(const http::Headers& request, const oci::Digest&);

/// Adds Warning headers (RFC 7234 5.5 as distribution-spec, "Warnings", has them); what is past
/// 4096 bytes in all is left out.
void add_warnings(http::ResponseHead&, const std::vector<std::string>&);

/// The answer for an Error (oci::to_oci_error) with Retry-After where it helps. `head` brings
/// further headers; its status is overwritten.
net::Task<Status> respond_error(net::HttpExchange&, Error, http::ResponseHead head);
net::Task<Status> respond_empty(net::HttpExchange&, http::ResponseHead);

/// scheme://host of the request, for the token realm; "public_url" wins. Error "host_invalid".
Result<std::string> base_url(const net::HttpExchange&,
                             const std::optional<std::string>& public_url);

}  // namespace convoy::registry
