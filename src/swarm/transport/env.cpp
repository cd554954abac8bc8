#include "swarm/transport/env.hpp"

#include <algorithm>

namespace convoy::swarm {
namespace {

constexpr std::string_view kClient = "-CV0001-";
constexpr const char* kBytes = "convoy_swarm_bytes_total";
constexpr const char* kBytesHelp = "Payload bytes exchanged with peers";

bt::PeerId make_peer_id(Random& random) {
  bt::PeerId id{};
  random.fill(id);
  std::copy(kClient.begin(), kClient.end(), id.begin());
  return id;
}

std::shared_ptr<core::Traffic> traffic_of(const EngineOptions& options, core::Instant now) {
  auto out = std::make_shared<core::Traffic>();
  out->down = options.download;
  out->origin = options.from_origin;
  out->limit_each_upload(options.shares.each_peer, now);
  return out;
}

}  // namespace

SwarmMetrics::SwarmMetrics(net::Metrics& m)
    : from_origin(m.counter(kBytes, kBytesHelp, {{"source", "origin"}})),
      from_peers(m.counter(kBytes, kBytesHelp, {{"source", "peer"}})),
      over_border(m.counter("convoy_swarm_border_bytes_total",
                            "Payload bytes that came from another zone")),
      uploaded(m.counter(kBytes, kBytesHelp, {{"source", "self"}})),
      redundant(m.counter("convoy_swarm_redundant_bytes_total", "Payload bytes thrown away")),
      pieces_failed(m.counter("convoy_swarm_pieces_failed_total", "Pieces whose hash was wrong")),
      banned(m.counter("convoy_swarm_banned_total", "Peers banned for wrong bytes")),
      peers(m.gauge("convoy_swarm_peers", "Open peer connections")),
      metrics_(m) {}

void SwarmMetrics::refused(const std::string& code) {
  metrics_
      .counter("convoy_swarm_refused_total", "Connections refused or ended for a violation",
               {{"reason", code}})
      .add();
}

Env::Env(net::Executor e, net::WorkerPool& p, const EngineOptions& o, const Clock& c, Random& r,
         security::AuditLog& a, net::Metrics& m, Logger l)
    : executor(e),
      pool(p),
      clock(c),
      random(r),
      audit(a),
      metrics(m),
      log(l.module("swarm")),
      tickets(o.cluster, o.roots, c),
      cluster(o.cluster),
      peer_id(make_peer_id(r)),
      tasks(e),
      traffic(traffic_of(o, c.steady())),
      uplink(e, tasks, o.upload, *traffic, c) {
  uplink.limit_background(o.shares.background);
}

}  // namespace convoy::swarm
