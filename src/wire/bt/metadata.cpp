#include "wire/bt/metadata.hpp"

#include <algorithm>

#include "wire/bt/bencode.hpp"

namespace convoy::bt {
namespace {
constexpr std::uint64_t kSmallBlob = 16ULL << 20;
}

std::uint32_t BlobMeta::piece_count() const {
  return static_cast<std::uint32_t>((size + piece_length - 1) / piece_length);
}

std::uint32_t BlobMeta::piece_size(std::uint32_t piece) const {
  const std::uint64_t begin = std::uint64_t{piece} * piece_length;
  if (begin >= size) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(piece_length, size - begin));
}

std::uint32_t BlobMeta::blocks_in(std::uint32_t piece) const {
  return (piece_size(piece) + kBlockSize - 1) / kBlockSize;
}

std::uint32_t choose_piece_length(std::uint64_t size) {
  // The smallest pieces only pay for blobs that are over in a moment: each is told to everybody.
  std::uint32_t length = size < kSmallBlob ? kMinPieceLength : 2 * kMinPieceLength;
  // Up while size / 2048 is nearer to the next power of two, halfway counting as nearer.
  while (length < kMaxPieceLength && size / 3 >= std::uint64_t{length} * 1024) length *= 2;
  return length;
}

Bytes encode_info(const BlobMeta& meta, std::string_view cluster_root_pem) {
  const auto text = [](std::string_view s) { return Bencode{std::string(s)}; };
  const auto number = [](std::uint64_t n) { return Bencode{static_cast<std::int64_t>(n)}; };
  const auto name = meta.digest.hex();
  Bencode::Dict file;
  file.emplace("length", number(meta.size));
  file.emplace("pieces root", text(as_text(meta.pieces_root)));
  Bencode::Dict entry;
  entry.emplace("", Bencode{std::move(file)});
  Bencode::Dict tree;
  tree.emplace(name, Bencode{std::move(entry)});
  Bencode::Dict info;
  info.emplace("file tree", Bencode{std::move(tree)});
  info.emplace("meta version", number(2));
  info.emplace("name", text(name));
  info.emplace("piece length", number(meta.piece_length));
  info.emplace("private", number(1));
  info.emplace("ssl-cert", text(cluster_root_pem));
  return encode(Bencode{std::move(info)});
}

std::string short_hex(const InfoHash& hash) { return to_hex(ByteView(hash).first(20)); }

}  // namespace convoy::bt
