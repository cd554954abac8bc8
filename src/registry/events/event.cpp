#include "registry/events/event.hpp"

#include "base/log.hpp"

namespace convoy::registry {
namespace {

void add(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  if (out.back() != '{') out += ',';
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
}

std::string subject_of(const Event& event) {
  if (event.kind != EventKind::remove_tag) return event.repository + '@' + event.digest;
  return event.repository + ':' + (event.tags.empty() ? std::string() : event.tags.front());
}

std::string data_of(const Event& event) {
  std::string out = "{";
  add(out, "repository", event.repository);
  add(out, "digest", event.digest);
  out += R"(,"tags":[)";
  for (const auto& tag : event.tags) {
    if (out.back() != '[') out += ',';
    append_json_string(out, tag);
  }
  out += ']';
  add(out, "mediaType", event.media_type);
  if (event.size > 0) out += R"(,"size":)" + std::to_string(event.size);
  add(out, "actor", event.actor);
  add(out, "remoteAddress", event.remote_ip);
  add(out, "requestId", event.request_id);
  return out + '}';
}

}  // namespace

std::string_view type_of(EventKind kind) {
  switch (kind) {
    case EventKind::push:
      return "dev.convoy.registry.manifest.pushed";
    case EventKind::pull:
      return "dev.convoy.registry.manifest.pulled";
    case EventKind::remove_manifest:
      return "dev.convoy.registry.manifest.deleted";
    case EventKind::remove_tag:
      break;
  }
  return "dev.convoy.registry.tag.deleted";
}

std::string to_cloud_event(const Event& event, std::string_view source) {
  std::string out = "{";
  add(out, "specversion", "1.0");
  add(out, "id", event.id);
  add(out, "source", source);
  add(out, "type", type_of(event.kind));
  add(out, "subject", subject_of(event));
  add(out, "time", to_rfc3339(event.time));
  add(out, "datacontenttype", "application/json");
  return out + R"(,"data":)" + data_of(event) + '}';
}

}  // namespace convoy::registry
