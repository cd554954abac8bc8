#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace convoy::registry {

enum class EventKind : std::uint8_t { push, pull, remove_manifest, remove_tag };

/// Something that happened to a manifest or a tag (docs/protocols/registry-events.md).
struct Event {
  EventKind kind = EventKind::push;
  std::string repository;
  std::string digest;  ///< "" of a tag removed by a client
  /// By which it was pushed or pulled; the one that was removed.
  std::vector<std::string> tags;
  std::string media_type;  ///< "" when not known
  std::uint64_t size = 0;  ///< of the manifest; 0 when not known
  std::string actor;       ///< a user, "anonymous"; "retention", "gc" of the registry itself
  std::string remote_ip;   ///< "" of the registry itself, as is `request_id`
  std::string request_id;

  // Set when it is posted.
  std::string id;
  UnixTime time{};
  SteadyTime posted{};
};
using EventPtr = std::shared_ptr<const Event>;

std::string_view type_of(EventKind);

/// The CloudEvents 1.0 JSON of one event; `source` is a URI reference.
std::string to_cloud_event(const Event&, std::string_view source);

}  // namespace convoy::registry
