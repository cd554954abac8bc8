#include "agent/fetch/pull_log.hpp"

#include <boost/json.hpp>

namespace convoy::agent {
namespace {

namespace json = boost::json;

/// `last`: the name of the member that ends it, "outcome" or "state".
json::object to_object(const PullRecord& pull, std::string_view last) {
  json::object bytes;
  bytes["peers"] = pull.bytes.peers;
  bytes["origin"] = pull.bytes.origin;
  bytes["cache"] = pull.bytes.cache;
  bytes["registry"] = pull.bytes.registry;
  json::object out;
  out["request_id"] = pull.request_id;
  out["registry"] = pull.registry;
  out["repository"] = pull.repository;
  out["digest"] = pull.digest;
  out["size"] = pull.size;
  out["bytes"] = std::move(bytes);
  out["seconds"] = pull.seconds;
  out[last] = pull.outcome;
  return out;
}

}  // namespace

PullLog::PullLog(std::size_t keep, std::shared_ptr<net::Metrics> metrics, Logger log)
    : keep_(keep),
      metrics_(std::move(metrics)),
      log_(std::move(log)),
      running_(std::make_shared<std::list<Look>>()) {}

void PullLog::add(PullRecord pull) {
  const auto bytes = [&](const char* source, std::uint64_t n) {
    metrics_
        ->counter("convoy_agent_bytes_total", "Bytes given to engines by where they came from",
                  {{"source", source}})
        .add(static_cast<double>(n));
  };
  bytes("peers", pull.bytes.peers);
  bytes("origin", pull.bytes.origin);
  bytes("cache", pull.bytes.cache);
  bytes("registry", pull.bytes.registry);
  metrics_
      ->counter("convoy_agent_pulls_total", "Blob requests by outcome", {{"outcome", pull.outcome}})
      .add();
  metrics_->latency("convoy_agent_pull_seconds", "Time of a blob request").observe(pull.seconds);
  log_.info("pull finished", {{"request_id", pull.request_id},
                              {"registry", pull.registry},
                              {"repository", pull.repository},
                              {"digest", pull.digest},
                              {"size", pull.size},
                              {"peers", pull.bytes.peers},
                              {"origin", pull.bytes.origin},
                              {"cache", pull.bytes.cache},
                              {"registry_bytes", pull.bytes.registry},
                              {"seconds", pull.seconds},
                              {"outcome", pull.outcome}});
  recent_.push_front(std::move(pull));
  if (recent_.size() > keep_) recent_.pop_back();
}

json::array PullLog::to_json() const {
  json::array out;
  for (const auto& pull : recent_) out.push_back(to_object(pull, "outcome"));
  return out;
}

json::array PullLog::running_json() const {
  json::array out;
  for (const auto& look : *running_) {
    if (out.size() >= keep_) break;
    out.push_back(to_object(look(), "state"));
  }
  return out;
}

}  // namespace convoy::agent
