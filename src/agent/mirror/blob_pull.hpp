#pragma once

#include <memory>
#include <optional>

#include "agent/fetch/ask.hpp"
#include "agent/fetch/download.hpp"
#include "agent/fetch/pull_log.hpp"
#include "agent/fetch/small_blobs.hpp"
#include "agent/mirror/blob_handler.hpp"

namespace convoy::agent {

/// One blob request under way.
struct BlobHandler::Pull {
  net::HttpExchange& exchange;
  BlobAsk ask;
  http::Headers extra;
  SteadyTime began;
  std::optional<Secret> shown{};  ///< the Authorization value that the answer was given to
  std::uint64_t size = 0;
  std::optional<http::ByteRange> range;  ///< asked for; none: the whole blob
  bool granted = false;
  bool relayed = false;                         ///< straight from the registry, past the cache
  std::uint64_t PullBytes::* source = nullptr;  ///< of what does not come by a download
  std::shared_ptr<Download> download{};
  bool began_download = false;
  std::optional<SmallBlobs::Claim> claim{};

  std::uint64_t first() const { return range ? range->offset : 0; }
  std::uint64_t end() const { return range ? range->offset + range->length : size; }
  bool whole() const { return first() == 0 && end() == size; }
  /// Where what it was given so far came from.
  PullBytes sources() const;
  /// As it stands: `outcome` is the state.
  PullRecord record(SteadyTime now) const;
};

}  // namespace convoy::agent
