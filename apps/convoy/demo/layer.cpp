#include "demo/layer.hpp"

#include <algorithm>
#include <boost/crc.hpp>
#include <cstring>
#include <fmt/format.h>
#include <fstream>

#include "crypto/hash.hpp"

namespace convoy::demo {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kStoredMax = 65535;  // RFC 1951 3.2.4

/// RFC 1952 around stored blocks of RFC 1951, hashing what goes in and what comes out.
class StoredGzip {
 public:
  explicit StoredGzip(const fs::path& path)
      : out_(path, std::ios::binary),
        inner_(crypto::make_hasher(oci::DigestAlgorithm::sha256)),
        outer_(crypto::make_hasher(oci::DigestAlgorithm::sha256)) {
    constexpr std::uint8_t head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    emit(head);
  }

  void write(ByteView data) {
    inner_->update(data);
    crc_.process_bytes(data.data(), data.size());
    size_ += data.size();
    while (!data.empty()) {
      const auto part = data.first(std::min(kStoredMax, data.size()));
      block(part, false);
      data = data.subspan(part.size());
    }
  }

  Result<Layer> finish() {
    block({}, true);
    const std::uint32_t tail[2] = {crc_.checksum(), static_cast<std::uint32_t>(size_)};
    std::array<std::uint8_t, 8> raw{};
    for (unsigned i = 0; i < 8; ++i)
      raw[i] = static_cast<std::uint8_t>(tail[i / 4] >> (8 * (i % 4)));
    emit(raw);
    out_.close();
    if (!out_) return internal_error("image_write", "the disk may be full");
    const Bytes outer = outer_->finish();
    const Bytes inner = inner_->finish();
    return Layer{{oci::Digest::of(oci::DigestAlgorithm::sha256, outer), written_},
                 oci::Digest::of(oci::DigestAlgorithm::sha256, inner)};
  }

 private:
  void block(ByteView data, bool last) {
    const auto n = static_cast<std::uint16_t>(data.size());
    const auto inverse = static_cast<std::uint16_t>(~n);
    const std::uint8_t head[5] = {static_cast<std::uint8_t>(last ? 1 : 0),
                                  static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8),
                                  static_cast<std::uint8_t>(inverse),
                                  static_cast<std::uint8_t>(inverse >> 8)};
    emit(head);
    emit(data);
  }

  void emit(ByteView data) {
    outer_->update(data);
    written_ += data.size();
    const auto text = as_text(data);
    out_.write(text.data(), static_cast<std::streamsize>(text.size()));
  }

  std::ofstream out_;
  std::unique_ptr<Hasher> inner_, outer_;
  boost::crc_32_type crc_;
  std::uint64_t size_ = 0, written_ = 0;
};

/// A ustar header (POSIX.1-1988) of a regular file.
std::array<std::uint8_t, kTarBlock> tar_header(const std::string& name, std::uint64_t size) {
  std::array<std::uint8_t, kTarBlock> head{};
  const auto put = [&](std::size_t at, std::string_view text) {
    std::memcpy(head.data() + at, text.data(), text.size());
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, fmt::format("{:011o}", 1'700'000'000));
  put(148, "        ");
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (std::uint8_t b : head) sum += b;
  put(148, fmt::format("{:06o}", sum));
  head[154] = 0;
  return head;
}

}  // namespace

Result<Layer> write_layer(const fs::path& blobs, const std::string& name, std::uint64_t bytes,
                          Random& random) {
  const fs::path temporary = blobs / ".layer";
  StoredGzip gzip(temporary);
  gzip.write(tar_header(name, bytes));
  Bytes chunk(1 << 20);
  for (std::uint64_t left = bytes; left > 0;) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, chunk.size()));
    random.fill(MutableByteView(chunk).first(n));
    gzip.write(ByteView(chunk).first(n));
    left -= n;
  }
  // The file is padded to a block, and two empty blocks end the archive.
  const std::size_t padding = (kTarBlock - bytes % kTarBlock) % kTarBlock + 2 * kTarBlock;
  gzip.write(Bytes(padding));
  auto layer = gzip.finish();
  if (!layer) return layer;
  std::error_code ec;
  fs::rename(temporary, blobs / layer->blob.digest.hex(), ec);
  if (ec) return internal_error("image_write", ec.message());
  return layer;
}

}  // namespace convoy::demo
