#include <algorithm>

#include "registry/api/answer.hpp"
#include "registry/api/context.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxTagParameters = 32;

Result<std::vector<oci::Tag>> tag_parameters(const http::Target& target,
                                             const oci::Reference& reference) {
  std::vector<oci::Tag> tags;
  const auto values = target.query_values("tag");
  // Tag parameters belong to a push by digest only.
  if (values.empty() || !std::holds_alternative<oci::Digest>(reference)) return tags;
  if (values.size() > kMaxTagParameters) return too_large("tags_too_many");
  for (const auto value : values) {
    auto tag = oci::Tag::parse(value);
    if (!tag) return std::move(tag).error();
    tags.push_back(std::move(*tag));
  }
  return tags;
}

void announce_pull(Context& api, const Call& call, const oci::Reference& reference,
                   const storage::StoredManifest& pulled, std::size_t size) {
  if (!api.events.wants(EventKind::pull)) return;
  Event event;
  event.kind = EventKind::pull;
  event.digest = pulled.digest.str();
  if (const auto* tag = std::get_if<oci::Tag>(&reference)) event.tags.push_back(tag->str());
  event.media_type = pulled.media_type;
  event.size = size;
  announce(api, call, std::move(event));
}

void announce_push(Context& api, const Call& call, const oci::Reference& reference,
                   const std::vector<oci::Tag>& more_tags, StoredReference stored) {
  Event event;
  event.digest = stored.digest.str();
  if (const auto* tag = std::get_if<oci::Tag>(&reference)) event.tags.push_back(tag->str());
  for (const auto& tag : more_tags) event.tags.push_back(tag.str());
  event.media_type = std::move(stored.media_type);
  event.size = stored.size;
  announce(api, call, std::move(event));
}

void announce_removal(Context& api, const Call& call, const oci::Reference& reference) {
  Event event;
  if (const auto* tag = std::get_if<oci::Tag>(&reference)) {
    event.kind = EventKind::remove_tag;
    event.tags.push_back(tag->str());
  } else {
    event.kind = EventKind::remove_manifest;
    event.digest = oci::to_string(reference);
  }
  announce(api, call, std::move(event));
}

/// Of what may be read or removed: a tag that cannot be is like one that is not there.
Result<oci::Reference> reference_there(std::string_view text) {
  auto reference = oci::parse_reference(text);
  if (!reference && reference.error().code() == "tag_invalid") return not_found("manifest_unknown");
  return reference;
}

}  // namespace

void announce(Context& api, const Call& call, Event event) {
  event.repository = call.repository().str();
  event.actor = call.caller.subject.empty() ? "anonymous" : call.caller.subject;
  event.remote_ip = call.exchange.remote().ip;
  event.request_id = call.exchange.request_id();
  api.events.post(std::move(event));
  api.events.wake();
}

net::Task<Status> get_manifest(Context& api, Call& call) {
  auto reference = reference_there(call.route.last);
  if (!reference) co_return std::move(reference).error();
  auto job = [&api, &call, &reference] {
    return api.meta.get_manifest(call.repository(), *reference);
  };
  auto found = co_await api.pool.run(std::move(job));
  if (!found) co_return std::move(found).error();
  call.digest = found->digest.str();
  const oci::Digest pulled = found->digest;
  if (api.pulls.due(call.repository(), *reference)) {
    auto note = [&api, &call, &reference, pulled] {
      std::optional<oci::Tag> tag;
      if (const auto* t = std::get_if<oci::Tag>(&*reference)) tag = *t;
      return api.meta.note_pull(call.repository(), pulled, tag);
    };
    Status noted = co_await api.pool.run(std::move(note));
    // What cannot be noted must not stop a pull.
    static_cast<void>(noted.ok());
  }

  http::ResponseHead head = head_of(200);
  set_digest(head, found->digest);
  if (none_match(call.exchange.request().headers, found->digest)) {
    head.status = 304;
    co_return co_await respond_empty(call.exchange, std::move(head));
  }
  head.headers.set("Content-Type", found->media_type);
  std::string body = std::move(found->body);
  const std::size_t size = body.size();
  Status sent = co_await call.exchange.respond(std::move(head), std::move(body));
  if (sent && !call.is_head()) announce_pull(api, call, *reference, *found, size);
  co_return sent;
}

net::Task<Status> put_manifest(Context& api, Call& call) {
  auto reference = oci::parse_reference(call.route.last);
  if (!reference) co_return std::move(reference).error();
  auto tags = tag_parameters(call.target, *reference);
  if (!tags) {
    if (tags.error().code() != "tags_too_many") co_return std::move(tags).error();
    http::ResponseHead head = head_of(414);
    head.headers.set("Content-Type", "application/json");
    std::string body = R"({"errors":[{"code":"TOOMANYTAGS","message":"too many tag parameters"}]})";
    co_return co_await call.exchange.respond(std::move(head), std::move(body));
  }
  const std::size_t limit = std::min(api.options.limits.manifest_bytes, oci::kMaxManifestBytes);
  if (call.exchange.body_length().value_or(0) > limit) co_return too_large("manifest_too_large");
  auto body = co_await call.exchange.read_all(limit);
  if (!body) {
    if (body.error().kind() == ErrorClass::too_large) co_return too_large("manifest_too_large");
    co_return std::move(body).error();
  }
  const std::string type(call.exchange.request().headers.get("Content-Type").value_or(""));
  auto job = [&] {
    return api.manifests.put(call.repository(), *reference, type, std::move(*body), *tags);
  };
  auto stored = co_await api.pool.run(std::move(job));
  if (!stored) co_return std::move(stored).error();
  call.digest = stored->digest.str();
  // Whether or not the client hears of it: it is stored.
  announce_push(api, call, *reference, *tags, *stored);

  http::ResponseHead head = head_of(201);
  head.headers.set("Location",
                   "/v2/" + call.repository().str() + "/manifests/" + stored->digest.str());
  head.headers.set("Docker-Content-Digest", stored->digest.str());
  if (stored->subject) head.headers.set("OCI-Subject", stored->subject->str());
  for (const auto& tag : *tags) head.headers.add("OCI-Tag", tag.str());
  add_warnings(head, stored->warnings);
  co_return co_await respond_empty(call.exchange, std::move(head));
}

net::Task<Status> delete_manifest(Context& api, Call& call) {
  if (!api.options.allow_delete) co_return invalid("unsupported", "deletion is switched off");
  auto reference = reference_there(call.route.last);
  if (!reference) co_return std::move(reference).error();
  auto job = [&]() -> Status {
    if (const auto* tag = std::get_if<oci::Tag>(&*reference)) {
      return api.meta.delete_tag(call.repository(), *tag);
    }
    return api.manifests.remove(call.repository(), std::get<oci::Digest>(*reference));
  };
  call.digest = oci::to_string(*reference);
  Status done = co_await api.pool.run(std::move(job));
  if (!done) co_return done;
  announce_removal(api, call, *reference);
  co_return co_await respond_empty(call.exchange, head_of(202));
}

}  // namespace convoy::registry
