#include "registry/api/answer.hpp"

#include <algorithm>

#include "wire/oci/error.hpp"

namespace convoy::registry {
namespace {

std::string etag_of(const oci::Digest& digest) { return '"' + digest.str() + '"'; }

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// What only the edge knows about a class of trouble.
Error for_client(Error error) {
  // Out of space is no rate limit: clients should not hammer on.
  if (error.code() == "disk_full") return unavailable("disk_full");
  return error;
}

/// Errors whose detail is the number of seconds after which a client may come again.
bool says_when(const Error& error) {
  return error.code() == "credentials_slowed" || error.code() == "rate_limited" ||
         error.code() == "overloaded";
}

}  // namespace

http::ResponseHead head_of(int status) {
  http::ResponseHead head;
  head.status = status;
  return head;
}

void set_digest(http::ResponseHead& head, const oci::Digest& digest) {
  head.headers.set("Docker-Content-Digest", digest.str());
  head.headers.set("ETag", etag_of(digest));
}

bool none_match(const http::Headers& request, const oci::Digest& digest) {
  const std::string etag = etag_of(digest);
  for (std::string_view line : request.all("If-None-Match")) {
    while (!line.empty()) {
      const auto comma = line.find(',');
      std::string_view item = trim(line.substr(0, comma));
      if (item.starts_with("W/")) item.remove_prefix(2);
      // Docker clients of old send the digest without quotes.
      if (item == etag || item == digest.str() || item == "*") return true;
      line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
    }
  }
  return false;
}

void add_warnings(http::ResponseHead& head, const std::vector<std::string>& warnings) {
  constexpr std::size_t kMaxTotal = 4096;
  std::size_t total = 0;
  for (const auto& text : warnings) {
    std::string line = "299 - \"";
    for (const char c : text) {
      if (c == '"' || c == '\\') line += '\\';
      // A header holds one line of printable ASCII.
      line += c >= ' ' && c <= '~' ? c : '?';
    }
    line += '"';
    total += line.size();
    if (total > kMaxTotal) return;
    head.headers.add("Warning", std::move(line));
  }
}

net::Task<Status> respond_error(net::HttpExchange& exchange, Error error, http::ResponseHead head) {
  const std::string wait = says_when(error) ? error.detail() : "5";
  const bool client_slow = error.code() == "stream_idle" || error.code() == "body_too_slow";
  error = for_client(std::move(error));
  auto reply = oci::to_oci_error(error);
  head.status = client_slow ? 408 : reply.status;
  head.headers.set("Content-Type", "application/json");
  if (reply.status == 429 || reply.status == 503) head.headers.set("Retry-After", wait);
  co_return co_await exchange.respond(std::move(head), std::move(reply.body));
}

net::Task<Status> respond_empty(net::HttpExchange& exchange, http::ResponseHead head) {
  std::string body;
  co_return co_await exchange.respond(std::move(head), std::move(body));
}

Result<std::string> base_url(const net::HttpExchange& exchange,
                             const std::optional<std::string>& public_url) {
  if (public_url) return *public_url;
  const auto host = exchange.request().headers.single("Host");
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  };
  if (!host || host->empty() || host->size() > 255 ||
      !std::all_of(host->begin(), host->end(), fine)) {
    return invalid("host_invalid");
  }
  return (exchange.tls() ? "https://" : "http://") + std::string(*host);
}

}  // namespace convoy::registry
