#include "agent/mirror/mirror_handler.hpp"

#include "agent/mirror/answers.hpp"
#include "agent/mirror/passthrough.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kCredentialPatience = std::chrono::seconds(10);

http::Headers challenge() {
  http::Headers headers;
  headers.add("WWW-Authenticate", "Basic realm=\"convoy mirror\"");
  return headers;
}

}  // namespace

net::Task<void> MirrorHandler::handle(net::HttpExchange& exchange) {
  Status done = Status{};
  auto authorization = authorization_of(exchange.request().headers, "Authorization");
  if (!authorization) {
    http::Headers extra;
    Error error = unauthorized("authorization_invalid");
    int status = 400;
    if (gate_.closed()) {
      audit_refusal(exchange, error.code());
      extra = challenge();
      status = 401;
    }
    done = co_await respond_error_as(exchange, status, std::move(error), std::move(extra));
  } else {
    auto admitted = co_await admit(exchange, *authorization);
    if (!admitted) {
      http::Headers extra;
      if (admitted.error().kind() == ErrorClass::unauthorized) extra = challenge();
      done = co_await respond_error(exchange, std::move(admitted).error(), std::move(extra));
    } else {
      // Where the mirror has users of its own, the header is for it and not for a registry.
      if (gate_.closed()) authorization->reset();
      done = co_await serve(exchange, std::move(*authorization));
    }
  }
  if (!done) log_.debug("client gone", {{"reason", done.error().text()}});
}

net::Task<Status> MirrorHandler::admit(net::HttpExchange& exchange,
                                       std::optional<Secret> authorization) {
  auto admitted = co_await gate_.check(std::move(authorization), exchange.remote().ip);
  if (!admitted) audit_refusal(exchange, admitted.error().code());
  co_return admitted;
}

void MirrorHandler::audit_refusal(const net::HttpExchange& exchange, const std::string& reason) {
  security::AuditEvent event;
  event.action = "mirror.refuse";
  event.outcome = security::AuditOutcome::refused;
  event.remote_ip = exchange.remote().ip;
  event.reason = reason;
  event.request_id = exchange.request_id();
  audit_.record(std::move(event));
}

net::Task<Status> MirrorHandler::serve(net::HttpExchange& exchange,
                                       std::optional<Secret> authorization) {
  const std::string method = exchange.request().method;
  http::Headers extra;
  if (method != "GET" && method != "HEAD") {
    extra.add("Allow", "GET, HEAD");
    Error error = invalid("unsupported");
    co_return co_await respond_error(exchange, std::move(error), std::move(extra));
  }
  auto target = http::parse_target(exchange.request().target);
  if (!target) co_return co_await respond_error(exchange, std::move(target).error());
  auto path = parse_v2_path(*target);
  if (!path) co_return co_await respond_error(exchange, std::move(path).error());
  if (path->kind == V2Path::Kind::ping) {
    http::ResponseHead head;
    head.headers.add("Content-Type", "application/json");
    head.headers.add("Docker-Distribution-Api-Version", "registry/2.0");
    std::string body = "{}";
    co_return co_await exchange.respond(std::move(head), std::move(body));
  }
  if (path->kind == V2Path::Kind::other) {
    const bool api = !target->segments.empty() && target->segments.front() == "v2";
    Error error = api ? invalid("unsupported") : not_found("route_unknown");
    co_return co_await respond_error(exchange, std::move(error));
  }
  const std::string ns(target->query_value("ns").value_or(""));
  const UpstreamPtr upstream = upstreams_.by_namespace(ns);
  if (!upstream) {
    Error error = not_found("name_unknown");
    co_return co_await respond_error(exchange, std::move(error));
  }
  if (!ns.empty()) extra.add("OCI-Namespace", upstream->host.str());
  if (path->kind == V2Path::Kind::manifest) {
    co_return co_await manifest(exchange, upstream, std::move(*path), std::move(authorization),
                                std::move(extra));
  }
  const bool own = !authorization.has_value();
  BlobAsk ask{upstream, *path->repository,     *path->digest,       std::move(authorization),
              own,      exchange.request_id(), exchange.remote().ip};
  co_await blobs_.serve(exchange, std::move(ask), std::move(extra));
  co_return Status{};
}

net::Task<Status> MirrorHandler::manifest(net::HttpExchange& exchange, UpstreamPtr upstream,
                                          V2Path path, std::optional<Secret> authorization,
                                          http::Headers extra) {
  PassOn what;
  what.upstream = upstream;
  what.target = "/v2/" + path.repository->str() + "/manifests/" + oci::to_string(*path.reference);
  what.replace_authorization = true;
  what.extra = std::move(extra);
  if (exchange.request().method == "GET") {
    what.small = &small_;
    what.manifest = ManifestPull{upstream,
                                 *path.repository,
                                 authorization,
                                 !authorization.has_value(),
                                 exchange.request_id(),
                                 exchange.remote().ip};
  }
  if (authorization) {
    what.authorization = std::move(authorization);
  } else {
    auto own = co_await upstream->client->authorize_pull(*path.repository, upstream->credential,
                                                         exchange.request_id(),
                                                         Deadline::in(clock_, kCredentialPatience));
    if (own) {
      what.authorization = std::move(*own);
      what.reauthorize = [this, upstream, repository = *path.repository,
                          id = exchange.request_id()](std::optional<Secret> refused) {
        return upstream->client->reauthorize_pull(repository, upstream->credential,
                                                  std::move(refused), id,
                                                  Deadline::in(clock_, kCredentialPatience));
      };
    } else if (own.error().kind() != ErrorClass::unauthorized &&
               own.error().kind() != ErrorClass::denied) {
      co_return co_await respond_error(exchange, std::move(own).error(), std::move(what.extra));
    }
    // Without a token the registry says itself what it demands.
  }
  co_await pass_on(exchange, std::move(what), clock_, log_);
  co_return Status{};
}

}  // namespace convoy::agent
