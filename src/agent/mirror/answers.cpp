#include "agent/mirror/answers.hpp"

#include "wire/auth/challenge.hpp"
#include "wire/oci/error.hpp"

namespace convoy::agent {
namespace {

constexpr std::string_view kApiVersion = "registry/2.0";

std::string etag(const oci::Digest& digest) { return '"' + digest.str() + '"'; }

}  // namespace

net::Task<Status> respond_error_as(net::HttpExchange& exchange, int status, Error error,
                                   http::Headers extra) {
  oci::ErrorReply reply = oci::to_oci_error(error);
  http::ResponseHead head;
  head.status = status;
  head.headers = std::move(extra);
  head.headers.set("Content-Type", "application/json");
  head.headers.set("Docker-Distribution-Api-Version", std::string(kApiVersion));
  co_return co_await exchange.respond(std::move(head), std::move(reply.body));
}

net::Task<Status> respond_error(net::HttpExchange& exchange, Error error, http::Headers extra) {
  const int status = oci::to_oci_error(error).status;
  co_return co_await respond_error_as(exchange, status, std::move(error), std::move(extra));
}

net::Task<Status> respond_error(net::HttpExchange& exchange, Error error) {
  return respond_error(exchange, std::move(error), http::Headers());
}

http::ResponseHead blob_head(const oci::Digest& digest, std::uint64_t size,
                             const std::optional<http::ByteRange>& range,
                             const http::Headers& extra) {
  http::ResponseHead head;
  head.headers = extra;
  head.headers.set("Content-Type", "application/octet-stream");
  head.headers.set("Docker-Content-Digest", digest.str());
  head.headers.set("Docker-Distribution-Api-Version", std::string(kApiVersion));
  head.headers.set("Accept-Ranges", "bytes");
  head.headers.set("ETag", etag(digest));
  if (range) {
    head.status = 206;
    head.headers.set("Content-Range", http::content_range(*range, size));
  }
  return head;
}

Result<std::optional<http::ByteRange>> requested_range(const http::RequestHead& request,
                                                       const oci::Digest& digest,
                                                       std::uint64_t size) {
  const auto header = request.headers.single("Range");
  if (!header) return std::optional<http::ByteRange>();
  // RFC 9110 13.1.5: a range of another representation is no range.
  const auto condition = request.headers.get("If-Range");
  if (condition && *condition != etag(digest)) return std::optional<http::ByteRange>();
  return http::parse_range(*header, size);
}

Result<std::optional<Secret>> authorization_of(const http::Headers& headers,
                                               std::string_view name) {
  if (!headers.has(name)) return std::optional<Secret>();
  const auto value = headers.single(name);
  if (!value) return invalid("authorization_invalid", "several headers");
  auto credential = auth::parse_authorization(*value);
  if (!credential) return std::move(credential).error();
  return std::optional<Secret>(Secret(std::string(*value)));
}

}  // namespace convoy::agent
