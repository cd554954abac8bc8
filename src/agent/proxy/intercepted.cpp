// The part of ProxyHandler that answers in a registry's place.

#include <algorithm>

#include "agent/mirror/answers.hpp"
#include "agent/mirror/passthrough.hpp"
#include "agent/mirror/v2_path.hpp"
#include "agent/proxy/proxy_handler.hpp"
#include "wire/http/headers.hpp"

namespace convoy::agent {
namespace {

/// Whether the request is for the host that CONNECT named: the certificate is of no other.
bool meant_for(const http::RequestHead& request, const Upstream& upstream) {
  const auto header = request.headers.single("Host");
  if (!header) return false;
  std::string text(*header);
  if (text.find(':', text.rfind(']') == std::string::npos ? 0 : text.rfind(']')) ==
      std::string::npos) {
    text += ":443";
  }
  const auto authority = parse_authority(text);
  if (!authority) return false;
  const auto names = upstream.host_names();
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return http::iequals(name, authority->host); });
}

struct Seen {
  bool blob_get = false;
  std::optional<V2Path> path;
};

Seen look_at(const http::RequestHead& request) {
  Seen seen;
  if (request.method != "GET") return seen;
  const auto target = http::parse_target(request.target);
  if (!target) return seen;
  auto path = parse_v2_path(*target);
  if (!path || path->kind != V2Path::Kind::blob) return seen;
  seen.blob_get = true;
  seen.path = std::move(*path);
  return seen;
}

}  // namespace

net::Task<void> ProxyHandler::intercepted(net::HttpExchange& exchange, UpstreamPtr upstream) {
  if (!meant_for(exchange.request(), *upstream)) {
    http::ResponseHead head;
    head.status = 421;
    std::string text = "another host was asked for\n";
    auto told = co_await exchange.respond(std::move(head), std::move(text));
    if (!told) log_.debug("client gone", {{"reason", told.error().text()}});
    co_return;
  }
  Seen seen = look_at(exchange.request());
  if (!seen.blob_get) {
    PassOn what;
    what.upstream = upstream;
    what.target = exchange.request().target;
    co_await pass_on(exchange, std::move(what), clock_, log_);
    co_return;
  }
  auto authorization = authorization_of(exchange.request().headers, "Authorization");
  if (!authorization) {
    auto told = co_await respond_error(exchange, std::move(authorization).error());
    if (!told) log_.debug("client gone", {{"reason", told.error().text()}});
    co_return;
  }
  BlobAsk ask{upstream, *seen.path->repository, *seen.path->digest,  std::move(*authorization),
              false,    exchange.request_id(),  exchange.remote().ip};
  http::Headers extra;
  co_await blobs_.serve(exchange, std::move(ask), std::move(extra));
}

}  // namespace convoy::agent
