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

/// What a GET asks for; nothing for other methods and what is no path of the distribution API.
std::optional<V2Path> look_at(const http::RequestHead& request) {
  if (request.method != "GET") return std::nullopt;
  const auto target = http::parse_target(request.target);
  if (!target) return std::nullopt;
  auto path = parse_v2_path(*target);
  if (!path) return std::nullopt;
  return std::move(*path);
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
  auto path = look_at(exchange.request());
  if (!path || path->kind != V2Path::Kind::blob) {
    co_await pass(exchange, upstream, std::move(path));
    co_return;
  }
  auto authorization = authorization_of(exchange.request().headers, "Authorization");
  if (!authorization) {
    auto told = co_await respond_error(exchange, std::move(authorization).error());
    if (!told) log_.debug("client gone", {{"reason", told.error().text()}});
    co_return;
  }
  BlobAsk ask{upstream, *path->repository,     *path->digest,       std::move(*authorization),
              false,    exchange.request_id(), exchange.remote().ip};
  http::Headers extra;
  co_await blobs_.serve(exchange, std::move(ask), std::move(extra));
}

net::Task<void> ProxyHandler::pass(net::HttpExchange& exchange, UpstreamPtr upstream,
                                   std::optional<V2Path> path) {
  PassOn what;
  what.upstream = upstream;
  what.target = exchange.request().target;
  auto authorization = authorization_of(exchange.request().headers, "Authorization");
  if (authorization && path && path->kind == V2Path::Kind::manifest) {
    what.small = &small_;
    what.manifest = ManifestPull{upstream, *path->repository,     std::move(*authorization),
                                 false,    exchange.request_id(), exchange.remote().ip};
  }
  co_await pass_on(exchange, std::move(what), clock_, log_);
}

}  // namespace convoy::agent
