#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/token_bucket.hpp"
#include "swarm/core/types.hpp"

namespace convoy::swarm::core {

/// What the torrents of one node share: the accounts that blocks are charged to, and whether
/// somebody at this node waits. Blocks to come are charged when they are asked for, so that a node
/// never asks for more than it may take. One thread.
class Traffic {
 public:
  /// Of what is asked of peers, and of origins among them. Null: no limit.
  std::shared_ptr<TokenBucket> down{}, origin{};
  /// Torrents of which a reader at this node waits for pieces.
  unsigned waiting = 0;
  /// Torrents of an origin that somebody wants pieces of which it has given to nobody.
  unsigned giving = 0;

  /// The account of what is sent to one node, in all torrents together.
  std::shared_ptr<TokenBucket> upload_to(const std::string& node);
  /// Bytes per second to each; 0: no limit.
  void limit_each_upload(std::uint64_t rate, Instant now);
  bool limits_each_upload() const { return each_ != 0; }

 private:
  std::uint64_t each_ = 0;
  std::map<std::string, std::weak_ptr<TokenBucket>, std::less<>> nodes_;
};

}  // namespace convoy::swarm::core
