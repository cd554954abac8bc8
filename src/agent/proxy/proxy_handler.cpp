#include "agent/proxy/proxy_handler.hpp"

#include <algorithm>

#include "agent/mirror/answers.hpp"
#include "agent/proxy/tunnel.hpp"
#include "net/own_address.hpp"
#include "net/tcp.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kHandshake = std::chrono::seconds(10);
constexpr Duration kConnect = std::chrono::seconds(10);
constexpr Duration kTunnelIdle = std::chrono::minutes(10);

net::Task<void> say(net::HttpExchange& exchange, int status, std::string text,
                    http::Headers extra) {
  http::ResponseHead head;
  head.status = status;
  head.headers = std::move(extra);
  head.headers.set("Content-Type", "text/plain; charset=utf-8");
  text += '\n';
  // A client that has gone meanwhile is nobody's trouble.
  [[maybe_unused]] const auto told = co_await exchange.respond(std::move(head), std::move(text));
}

/// Keeps temporaries out of the caller's co_await.
net::Task<void> say(net::HttpExchange& exchange, int status, const char* text) {
  return say(exchange, status, std::string(text), http::Headers());
}

bool leads_to_this_machine(const net::Stream& stream) {
  const std::string& to = stream.remote().ip;
  if (is_local_address(to)) return true;
  // An address routed to this machine stands on no interface; the kernel then leaves from it too.
  // To a further address of an interface it leaves from the first.
  const auto own = net::own_addresses();
  return to == stream.local().ip || std::find(own.begin(), own.end(), to) != own.end();
}

}  // namespace

ProxyHandler::ProxyHandler(net::Executor executor, const Upstreams& upstreams, Gate& gate,
                           BlobHandler& blobs, SmallBlobs& small, const LocalCa& ca,
                           ProxyPolicy policy, const Clock& clock, Random& random,
                           security::AuditLog& audit, Logger log)
    : executor_(executor),
      upstreams_(upstreams),
      gate_(gate),
      blobs_(blobs),
      small_(small),
      ca_(ca),
      policy_(policy),
      clock_(clock),
      random_(random),
      audit_(audit),
      log_(std::move(log)) {}

net::Task<void> ProxyHandler::handle(net::HttpExchange& exchange) {
  const bool admitted = co_await admit(exchange);
  if (!admitted) co_return;
  if (exchange.request().method != "CONNECT") {
    http::Headers extra;
    extra.add("Allow", "CONNECT");
    std::string text = "This proxy passes on HTTPS (CONNECT) only.";
    co_await say(exchange, 405, std::move(text), std::move(extra));
    co_return;
  }
  auto authority = parse_authority(exchange.request().target);
  if (!authority) {
    co_await say(exchange, 400, "CONNECT needs host:port.");
    co_return;
  }
  const UpstreamPtr upstream = upstreams_.by_authority(authority->host, authority->port);
  if (upstream) {
    co_await intercept(exchange, upstream);
  } else if (policy_.tunnel_others) {
    co_await open_tunnel(exchange, std::move(*authority));
  } else {
    audit(exchange, false, "proxy.refuse", "host_not_configured", authority->host);
    co_await say(exchange, 403, "This proxy serves its configured registries only.");
  }
}

net::Task<bool> ProxyHandler::admit(net::HttpExchange& exchange) {
  auto authorization = authorization_of(exchange.request().headers, "Proxy-Authorization");
  Status admitted = Status{};
  if (!authorization) {
    admitted = unauthorized("authorization_invalid");
  } else {
    admitted = co_await gate_.check(std::move(*authorization), exchange.remote().ip);
  }
  if (admitted) co_return true;
  audit(exchange, false, "proxy.refuse", admitted.error().code(), {});
  http::Headers extra;
  if (admitted.error().kind() == ErrorClass::exhausted) {
    co_await say(exchange, 429, "Too many attempts.");
    co_return false;
  }
  std::string text = "This proxy needs a user and password.";
  extra.add("Proxy-Authenticate", "Basic realm=\"convoy proxy\"");
  co_await say(exchange, 407, std::move(text), std::move(extra));
  co_return false;
}

Result<ProxyHandler::Interception*> ProxyHandler::interception_for(const UpstreamPtr& upstream) {
  Interception& entry = interceptions_[upstream->host.str()];
  const UnixTime now = clock_.wall();
  if (entry.tls && now < entry.renew_at) return &entry;
  net::TlsServerOptions options;
  options.identity = ca_.leaf(upstream->host_names(), now, random_);
  options.alpn = {"http/1.1"};
  options.kernel_sends = policy_.kernel_tls;
  auto tls = net::TlsServerContext::make(std::move(options));
  if (!tls) return std::move(tls).error();
  entry.tls = std::move(*tls);
  entry.renew_at = now + LocalCa::kLeafLife / 2;
  ++certificates_made_;
  if (!entry.server) {
    net::HttpServerOptions server;
    server.limits = policy_.limits;
    server.name = "proxy-tls";
    auto handler = [this, upstream](net::HttpExchange& inner) {
      return intercepted(inner, upstream);
    };
    entry.server = std::make_unique<net::HttpServer>(executor_, std::move(server),
                                                     std::move(handler), log_, random_);
  }
  return &entry;
}

net::Task<void> ProxyHandler::intercept(net::HttpExchange& exchange, UpstreamPtr upstream) {
  auto entry = interception_for(upstream);
  if (!entry) {
    log_.error("no certificate for a registry",
               {{"registry", upstream->host.str()}, {"reason", entry.error().text()}});
    co_await say(exchange, 502, "The proxy cannot answer for this registry.");
    co_return;
  }
  const auto tls = (*entry)->tls;
  net::HttpServer* server = (*entry)->server.get();
  auto plain = co_await exchange.take_stream();
  if (!plain) co_return;
  auto stream = co_await net::tls_accept(std::move(*plain), tls, kHandshake);
  if (!stream) {
    // Most often: the engine does not trust the proxy's CA yet.
    log_.warn("an intercepted client broke off the handshake",
              {{"registry", upstream->host.str()}, {"reason", stream.error().text()}});
    co_return;
  }
  co_await server->serve(std::move(*stream));
}

net::Task<void> ProxyHandler::open_tunnel(net::HttpExchange& exchange, Authority authority) {
  auto server = co_await net::tcp_connect(executor_, authority.host, authority.port, kConnect);
  if (!server) {
    co_await say(exchange, 502, "The host cannot be reached.");
    co_return;
  }
  if (policy_.reachable_from_outside && leads_to_this_machine(**server)) {
    audit(exchange, false, "proxy.refuse", "local_address", authority.host);
    co_await say(exchange, 403, "This address is not for others.");
    co_return;
  }
  auto client = co_await exchange.take_stream();
  if (!client) co_return;
  co_await tunnel(std::move(*client), std::move(*server), kTunnelIdle, clock_);
}

void ProxyHandler::audit(const net::HttpExchange& exchange, bool granted, const std::string& action,
                         const std::string& reason, const std::string& host) {
  security::AuditEvent event;
  event.action = action;
  event.outcome = granted ? security::AuditOutcome::granted : security::AuditOutcome::refused;
  event.remote_ip = exchange.remote().ip;
  event.reason = reason;
  event.request_id = exchange.request_id();
  if (!host.empty()) event.extra.emplace_back("host", host);
  audit_.record(std::move(event));
}

net::Task<void> ProxyHandler::stop(Duration grace) {
  const SteadyTime until = clock_.steady() + grace;
  for (auto& [host, entry] : interceptions_) {
    if (!entry.server) continue;
    const Duration left = std::max(until - clock_.steady(), Duration::zero());
    co_await entry.server->stop(left);
  }
}

}  // namespace convoy::agent
