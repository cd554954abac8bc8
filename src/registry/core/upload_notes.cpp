#include "registry/core/upload_notes.hpp"

#include <algorithm>
#include <string>

namespace convoy::registry {
namespace {

using crypto::BlobHasher;
using crypto::MerkleLeaves;

// A note: the number of its leaves and the eight words of the digest, big-endian, the leaves, the
// seal.
constexpr std::size_t kHead = 4 + 8 * 4;
constexpr std::size_t kLeaf = sizeof(Hash256);
constexpr std::size_t kMaxLeaves = 64 * 1024;  // of 1 GiB; more are not in one note

void put(Bytes& out, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(number >> shift));
}

std::uint32_t number_at(ByteView bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

Hash256 first_seal(std::string_view id) {
  crypto::Sha256 hash;
  hash.update(as_bytes("convoy upload notes 1\n"));
  hash.update(as_bytes(id));
  return hash.finish();
}

Hash256 seal_of(const Hash256& before, ByteView note) {
  crypto::Sha256 hash;
  hash.update(before);
  hash.update(note);
  return hash.finish();
}

Bytes encode(const BlobHasher::Mark& mark, std::span<const Hash256> leaves) {
  Bytes out;
  out.reserve(kHead + (leaves.size() + 1) * kLeaf);
  put(out, static_cast<std::uint32_t>(leaves.size()));
  for (const std::uint32_t word : mark.words) put(out, word);
  for (const Hash256& leaf : leaves) out.insert(out.end(), leaf.begin(), leaf.end());
  return out;
}

/// Reads notes in a row.
class Reader {
 public:
  Reader(storage::BlobUpload& upload, const Hash256& seal) : upload_(upload), seal_(seal) {}

  bool next() {
    Bytes note(kHead);
    if (!fill(at_, note)) return false;
    const std::uint32_t count = number_at(note, 0);
    if (count == 0 || count > kMaxLeaves) return false;
    note.resize(kHead + count * kLeaf);
    Hash256 seal;
    if (!fill(at_ + kHead, MutableByteView(note).subspan(kHead))) return false;
    if (!fill(at_ + note.size(), seal) || seal != seal_of(seal_, note)) return false;
    seal_ = seal;
    at_ += note.size() + kLeaf;
    take(note, count);
    return true;
  }

  std::uint64_t at() const { return at_; }  ///< behind the last good note
  const Hash256& seal() const { return seal_; }
  const BlobHasher::Mark& mark() const { return mark_; }
  std::vector<Hash256> take_leaves() { return std::move(leaves_); }

 private:
  bool fill(std::uint64_t at, MutableByteView out) const {
    const auto n = upload_.read_notes(at, out);
    return n && *n == out.size();
  }

  void take(ByteView note, std::uint32_t count) {
    for (std::size_t i = 0; i < mark_.words.size(); ++i) {
      mark_.words[i] = number_at(note, 4 + i * 4);
    }
    for (std::size_t i = 0; i < count; ++i) {
      Hash256 leaf;
      const ByteView raw = note.subspan(kHead + i * kLeaf, kLeaf);
      std::copy(raw.begin(), raw.end(), leaf.begin());
      leaves_.push_back(leaf);
    }
    mark_.size += std::uint64_t{count} * MerkleLeaves::kBlock;
  }

  storage::BlobUpload& upload_;
  std::uint64_t at_ = 0;
  Hash256 seal_;
  BlobHasher::Mark mark_;
  std::vector<Hash256> leaves_;
};

}  // namespace

UploadNotes::UploadNotes(std::string_view id, std::uint64_t step)
    : step_(step), seal_(first_seal(id)) {}

Status UploadNotes::keep(storage::BlobUpload& upload, const BlobHasher& hashes) {
  const auto mark = hashes.mark();
  if (broken_ || !mark || mark->size < noted_ + step_) return {};
  const auto first = static_cast<std::size_t>(noted_ / MerkleLeaves::kBlock);
  const auto leaves = std::span(hashes.leaves()).subspan(first);
  if (leaves.empty()) return {};
  if (auto done = upload.sync(); !done) return done;
  Bytes note = encode(*mark, leaves);
  const Hash256 seal = seal_of(seal_, note);
  note.insert(note.end(), seal.begin(), seal.end());
  broken_ = leaves.size() > kMaxLeaves || !upload.add_note(note).ok();
  seal_ = seal;
  noted_ = mark->size;
  return {};
}

std::optional<BlobHasher> UploadNotes::restore(storage::BlobUpload& upload) {
  Reader reader(upload, seal_);
  while (reader.next()) {
  }
  const BlobHasher::Mark mark = reader.mark();
  const bool fits = mark.size > 0 && mark.size <= upload.size();
  broken_ = !upload.cut_notes(fits ? reader.at() : 0).ok();
  if (!fits) return std::nullopt;
  seal_ = reader.seal();
  noted_ = mark.size;
  return BlobHasher(mark, reader.take_leaves());
}

}  // namespace convoy::registry
