#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "net/http_server.hpp"
#include "wire/http/range.hpp"
#include "wire/oci/digest.hpp"

namespace convoy::agent {

/// An Error as the distribution API has it, with `extra` headers.
net::Task<Status> respond_error(net::HttpExchange&, Error, http::Headers extra);
net::Task<Status> respond_error(net::HttpExchange&, Error);
/// The same under a status that another server chose.
net::Task<Status> respond_error_as(net::HttpExchange&, int status, Error, http::Headers extra);

/// 200 or 206 of a blob.
http::ResponseHead blob_head(const oci::Digest&, std::uint64_t size,
                             const std::optional<http::ByteRange>&, const http::Headers& extra);
/// The one range that a request asks for; nothing for the whole blob. Error "range_unsatisfiable".
Result<std::optional<http::ByteRange>> requested_range(const http::RequestHead&, const oci::Digest&,
                                                       std::uint64_t size);

/// The client's Authorization value if it has exactly one, well-formed. Error (invalid)
/// "authorization_invalid". `name`: "Authorization" or "Proxy-Authorization".
Result<std::optional<Secret>> authorization_of(const http::Headers&, std::string_view name);

}  // namespace convoy::agent
