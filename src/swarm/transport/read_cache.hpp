#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "net/task_group.hpp"
#include "net/worker_pool.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::swarm {

/// Four blocks of a piece in the form they leave in: each behind its 13-byte message header.
struct Chunk {
  Bytes bytes;
  enum class State : std::uint8_t { loading, ready, failed } state = State::loading;
};

/// What is read from disk to be sent. Chunks are read on workers, several in one job, and kept
/// for a while: other peers ask for the neighbouring blocks. Bounded. One thread.
class ReadCache : public std::enable_shared_from_this<ReadCache> {
 public:
  ReadCache(net::Executor, net::WorkerPool&, net::TaskGroup&, const bt::BlobMeta&,
            std::shared_ptr<PieceIo>);

  /// Have the block at hand soon, unless much is being read already. Takes effect with the next
  /// launch().
  void prefetch(const bt::BlockRef&);
  void launch();
  /// The messages of consecutive blocks of one piece, from `first` on, as far as they lie in
  /// one chunk: how many blocks it covers comes back in `covered`. Null: the read failed.
  net::Task<std::shared_ptr<const Chunk>> get(bt::BlockRef block);
  /// The part of the chunk that holds `blocks` blocks from this one on.
  ByteView view(const Chunk&, const bt::BlockRef& first, std::uint32_t blocks) const;
  /// Blocks from this one to the end of its chunk.
  std::uint32_t blocks_left(const bt::BlockRef&) const;
  void drop();

 private:
  using Key = std::uint64_t;
  static constexpr std::uint32_t kBlocks = 4;
  static constexpr std::size_t kMaxChunks = 64;  ///< 4 MiB
  static constexpr std::size_t kMaxAhead = kMaxChunks / 2;
  static constexpr std::size_t kMaxJob = 8;
  static Key key_of(const bt::BlockRef& b) {
    return Key{b.piece} << 32 | b.begin / bt::kBlockSize / kBlocks;
  }
  struct Slot {
    std::shared_ptr<Chunk> chunk;
    std::list<Key>::iterator age;
  };
  std::shared_ptr<Chunk> open(Key);
  void evict();
  net::Task<void> load(std::vector<std::pair<Key, std::shared_ptr<Chunk>>> job);
  template <class Read>
  static bool fill(const bt::BlobMeta&, Key, Chunk&, Read);

  net::WorkerPool& pool_;
  net::TaskGroup& tasks_;
  bt::BlobMeta meta_;
  std::shared_ptr<PieceIo> io_;
  std::map<Key, Slot> slots_;
  std::list<Key> ages_;  ///< least recently used first
  std::vector<std::pair<Key, std::shared_ptr<Chunk>>> waiting_;
  std::size_t loading_ = 0;  ///< chunks that workers read
  net::Notify loaded_;
};

}  // namespace convoy::swarm
