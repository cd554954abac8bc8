#include "swarm/transport/read_cache.hpp"

#include <algorithm>

namespace convoy::swarm {
namespace {

constexpr std::size_t kHeader = 13;
constexpr std::size_t kSlot = kHeader + bt::kBlockSize;

}  // namespace

ReadCache::ReadCache(net::Executor executor, net::WorkerPool& pool, net::TaskGroup& tasks,
                     const bt::BlobMeta& meta, std::shared_ptr<PieceIo> io)
    : pool_(pool), tasks_(tasks), meta_(meta), io_(std::move(io)), loaded_(executor) {}

template <class Read>
bool ReadCache::fill(const bt::BlobMeta& meta, Key key, Chunk& chunk, Read read) {
  const auto piece = static_cast<std::uint32_t>(key >> 32);
  const auto first = static_cast<std::uint32_t>(key & 0xffffffffU) * kBlocks;
  const std::uint32_t end = std::min(first + kBlocks, meta.blocks_in(piece));
  const std::uint32_t size = meta.piece_size(piece);
  chunk.bytes.resize((end - first) * kSlot);
  std::uint8_t* at = chunk.bytes.data();
  for (std::uint32_t i = first; i < end; ++i) {
    const std::uint32_t begin = i * bt::kBlockSize;
    const std::uint32_t length = std::min(bt::kBlockSize, size - begin);
    const auto header = bt::piece_header(piece, begin, length);
    std::copy(header.begin(), header.end(), at);
    const std::uint64_t offset = std::uint64_t{piece} * meta.piece_length + begin;
    if (!read(offset, MutableByteView(at + kHeader, length))) return false;
    at += kHeader + length;
  }
  chunk.bytes.resize(static_cast<std::size_t>(at - chunk.bytes.data()));
  return true;
}

void ReadCache::evict() {
  for (auto it = ages_.begin(); it != ages_.end() && slots_.size() >= kMaxChunks;) {
    const auto slot = slots_.find(*it);
    // What is being read or written still has its second owner.
    if (slot->second.chunk.use_count() > 1) {
      ++it;
      continue;
    }
    slots_.erase(slot);
    it = ages_.erase(it);
  }
}

std::shared_ptr<Chunk> ReadCache::open(Key key) {
  if (const auto it = slots_.find(key); it != slots_.end()) {
    ages_.splice(ages_.end(), ages_, it->second.age);
    return it->second.chunk;
  }
  evict();
  auto chunk = std::make_shared<Chunk>();
  ages_.push_back(key);
  slots_.emplace(key, Slot{chunk, std::prev(ages_.end())});
  waiting_.emplace_back(key, chunk);
  return chunk;
}

void ReadCache::prefetch(const bt::BlockRef& block) {
  // What is being read cannot be evicted.
  if (waiting_.size() + loading_ >= kMaxAhead) return;
  static_cast<void>(open(key_of(block)));
}

void ReadCache::launch() {
  // What has just arrived lies in memory still: no worker has to be woken for it.
  std::erase_if(waiting_, [this](const auto& asked) {
    const auto from_memory = [this](std::uint64_t at, MutableByteView out) {
      return io_->read_now(at, out);
    };
    if (!fill(meta_, asked.first, *asked.second, from_memory)) return false;
    asked.second->state = Chunk::State::ready;
    return true;
  });
  while (!waiting_.empty()) {
    const std::size_t n = std::min(kMaxJob, waiting_.size());
    std::vector<std::pair<Key, std::shared_ptr<Chunk>>> job(
        waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(n));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(n));
    tasks_.spawn([self = shared_from_this(), job = std::move(job)] { return self->load(job); });
  }
}

net::Task<void> ReadCache::load(std::vector<std::pair<Key, std::shared_ptr<Chunk>>> job) {
  const auto self = shared_from_this();
  auto work = [io = io_, meta = meta_, job] {
    std::vector<bool> ok;
    const auto from_disk = [&](std::uint64_t at, MutableByteView out) {
      return io->read(at, out).ok();
    };
    for (const auto& [key, chunk] : job) ok.push_back(fill(meta, key, *chunk, from_disk));
    return ok;
  };
  loading_ += job.size();
  const std::vector<bool> ok = co_await pool_.run(std::move(work));
  loading_ -= job.size();
  for (std::size_t i = 0; i < job.size(); ++i) {
    job[i].second->state = ok[i] ? Chunk::State::ready : Chunk::State::failed;
    if (ok[i]) continue;
    if (const auto it = slots_.find(job[i].first); it != slots_.end()) {
      ages_.erase(it->second.age);
      slots_.erase(it);
    }
  }
  loaded_.notify_all();
}

net::Task<std::shared_ptr<const Chunk>> ReadCache::get(bt::BlockRef block) {
  const auto self = shared_from_this();
  const std::shared_ptr<Chunk> chunk = open(key_of(block));
  launch();
  while (chunk->state == Chunk::State::loading) {
    const bool told = co_await loaded_.wait(std::chrono::seconds(60));
    if (!told && chunk->state == Chunk::State::loading) co_return nullptr;
  }
  if (chunk->state == Chunk::State::failed) co_return nullptr;
  co_return chunk;
}

std::uint32_t ReadCache::blocks_left(const bt::BlockRef& b) const {
  const std::uint32_t block = b.begin / bt::kBlockSize;
  return std::min(kBlocks - block % kBlocks, meta_.blocks_in(b.piece) - block);
}

ByteView ReadCache::view(const Chunk& chunk, const bt::BlockRef& first,
                         std::uint32_t blocks) const {
  const std::size_t at = first.begin / bt::kBlockSize % kBlocks * kSlot;
  return ByteView(chunk.bytes).subspan(at, std::min(blocks * kSlot, chunk.bytes.size() - at));
}

void ReadCache::drop() {
  slots_.clear();
  ages_.clear();
}

}  // namespace convoy::swarm
