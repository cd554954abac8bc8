#pragma once

#include <optional>

#include "agent/fetch/ask.hpp"
#include "agent/fetch/pull_log.hpp"
#include "agent/mirror/blob_handler.hpp"

namespace convoy::agent {

/// One blob request under way.
struct BlobHandler::Pull {
  net::HttpExchange& exchange;
  BlobAsk ask;
  http::Headers extra;
  SteadyTime began;
  std::uint64_t size = 0;
  std::optional<http::ByteRange> range;  ///< asked for; none: the whole blob
  PullBytes bytes{};

  std::uint64_t first() const { return range ? range->offset : 0; }
  std::uint64_t end() const { return range ? range->offset + range->length : size; }
  bool whole() const { return first() == 0 && end() == size; }
};

}  // namespace convoy::agent
