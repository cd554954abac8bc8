#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/blob/cache_pages.hpp"
#include "storage/blob/cache_store.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::storage {
namespace {

constexpr std::string_view kMetaSuffix = ".meta";
constexpr std::string_view kHaveSuffix = ".have";
constexpr std::string_view kMetaHead = "convoy-cache 1";
constexpr std::size_t kMaxMetaFile = 8 * 1024;
constexpr std::size_t kMaxSources = 16;

std::string meta_name(const oci::Digest& d) { return d.hex() + std::string(kMetaSuffix); }
std::string have_name(const oci::Digest& d) { return d.hex() + std::string(kHaveSuffix); }

/// What a ".meta" file holds.
struct Record {
  bt::BlobMeta meta;
  std::vector<std::string> sources;  // the latest last

  bool has(const oci::RegistryHost& source) const {
    return std::find(sources.begin(), sources.end(), source.str()) != sources.end();
  }
};

std::string encode(const Record& record) {
  const bt::BlobMeta& m = record.meta;
  std::string out = std::string(kMetaHead) + ' ' + m.digest.str() + ' ' + std::to_string(m.size) +
                    ' ' + std::to_string(m.piece_length) + ' ' + to_hex(m.pieces_root);
  for (const auto& source : record.sources) out += ' ' + source;
  return out + '\n';
}

std::string_view take_word(std::string_view& text) {
  const auto end = text.find_first_of(" \n");
  const auto word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

template <class T>
bool to_number(std::string_view text, T& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size();
}

std::optional<Record> decode(std::string_view text) {
  if (!text.starts_with(kMetaHead) || !text.ends_with('\n')) return std::nullopt;
  text.remove_prefix(kMetaHead.size() + 1);
  auto digest = oci::Digest::parse(take_word(text));
  if (!digest) return std::nullopt;
  bt::BlobMeta meta{.digest = *digest};
  const bool numbers =
      to_number(take_word(text), meta.size) && to_number(take_word(text), meta.piece_length);
  const auto root = hash256_from_hex(take_word(text));
  if (!numbers || !root || meta.size == 0 || meta.piece_length < bt::kMinPieceLength ||
      meta.piece_length > bt::kMaxPieceLength) {
    return std::nullopt;
  }
  meta.pieces_root = *root;
  Record record{.meta = meta, .sources = {}};
  while (!text.empty()) record.sources.emplace_back(take_word(text));
  return record;
}

/// Whether a partial file with the metadata `known` may be gone on with by `asked`.
bool goes_on(const bt::BlobMeta& known, bt::BlobMeta asked) {
  if (asked.pieces_root == Hash256{}) asked.pieces_root = known.pieces_root;
  return known == asked;
}

std::optional<oci::Digest> digest_of_name(std::string_view hex) {
  auto digest = oci::Digest::parse((hex.size() == 128 ? "sha512:" : "sha256:") + std::string(hex));
  if (!digest) return std::nullopt;
  return *digest;
}

class CompleteReader final : public BlobReader {
 public:
  CompleteReader(Fd fd, const oci::Digest& digest, std::uint64_t size,
                 std::shared_ptr<CachePages> pages)
      : fd_(std::move(fd)), digest_(digest), size_(size), pages_(std::move(pages)) {}
  std::uint64_t size() const override { return size_; }
  int fd() const override { return fd_.get(); }
  Status read_at(std::uint64_t offset, MutableByteView out) const override {
    if (offset > size_ || out.size() > size_ - offset) {
      return internal_error("blob_read", "range outside the blob");
    }
    auto done = read_exact(fd_.get(), offset, out);
    pages_->came(digest_, size_, offset, out.size());
    return done;
  }
  bool read_now(std::uint64_t offset, MutableByteView out) const override {
    return pages_->read_now(fd_.get(), digest_, offset, out);
  }

 private:
  Fd fd_;
  oci::Digest digest_;
  std::uint64_t size_;
  std::shared_ptr<CachePages> pages_;
};

class FilePieces final : public PieceFile {
 public:
  FilePieces(const bt::BlobMeta& meta, Fd data, Fd have, Bytes bits,
             std::shared_ptr<CachePages> pages)
      : meta_(meta),
        data_(std::move(data)),
        have_(std::move(have)),
        bits_(std::move(bits)),
        pages_(std::move(pages)) {}

  const bt::BlobMeta& meta() const override { return meta_; }
  int fd() const override { return data_.get(); }

  Status read_at(std::uint64_t offset, MutableByteView out) const override {
    if (!inside(offset, out.size())) return internal_error("blob_read", "range outside the blob");
    auto done = read_exact(data_.get(), offset, out);
    pages_->came(meta_.digest, meta_.size, offset, out.size());
    return done;
  }
  bool read_now(std::uint64_t offset, MutableByteView out) const override {
    return pages_->read_now(data_.get(), meta_.digest, offset, out);
  }
  Status write_at(std::uint64_t offset, ByteView bytes) override {
    if (!inside(offset, bytes.size())) {
      return internal_error("blob_write", "range outside the blob");
    }
    auto done = write_all(data_.get(), offset, bytes);
    pages_->came(meta_.digest, meta_.size, offset, bytes.size());
    return done;
  }
  Status mark_piece(std::uint32_t piece) override { return set(piece, true); }
  Status clear_piece(std::uint32_t piece) override { return set(piece, false); }

  std::vector<bool> pieces() const override {
    const std::lock_guard lock(mutex_);
    std::vector<bool> out(meta_.piece_count());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = (bits_[i / 8] >> (i % 8) & 1) != 0;
    return out;
  }

  static std::size_t bitmap_size(const bt::BlobMeta& meta) { return (meta.piece_count() + 7) / 8; }

 private:
  bool inside(std::uint64_t offset, std::size_t length) const {
    return offset <= meta_.size && length <= meta_.size - offset;
  }

  Status set(std::uint32_t piece, bool have) {
    if (piece >= meta_.piece_count()) return internal_error("blob_write", "no such piece");
    const std::lock_guard lock(mutex_);
    const std::uint8_t old = bits_[piece / 8];
    const auto bit = static_cast<std::uint8_t>(1U << (piece % 8));
    bits_[piece / 8] = static_cast<std::uint8_t>(have ? old | bit : old & ~bit);
    return write_all(have_.get(), piece / 8, ByteView(&bits_[piece / 8], 1));
  }

  bt::BlobMeta meta_;
  Fd data_;
  Fd have_;
  mutable std::mutex mutex_;
  Bytes bits_;  // one bit for each piece, the lowest first
  std::shared_ptr<CachePages> pages_;
};

class FileCacheStore final : public CacheStore {
 public:
  FileCacheStore(Fd lock, std::shared_ptr<const CacheFolders> folders, std::uint64_t page_cache)
      : lock_(std::move(lock)),
        folders_(std::move(folders)),
        pages_(std::make_shared<CachePages>(page_cache, folders_)) {}

  std::optional<std::unique_ptr<BlobReader>> open_complete(const oci::Digest& digest) override {
    auto fd = open_file(complete_dir(), digest.hex(), O_RDONLY, "blob_read");
    if (!fd) return std::nullopt;
    auto size = file_size(fd->get(), "blob_read");
    if (!size) return std::nullopt;
    // The time of last use is the file's own: access times may be switched off.
    ::futimens(fd->get(), nullptr);
    return std::make_unique<CompleteReader>(std::move(*fd), digest, *size, pages_);
  }

  std::optional<bt::BlobMeta> complete_meta(const oci::Digest& digest) override {
    const auto record = read_complete(digest);
    if (!record) return std::nullopt;
    return record->meta;
  }

  Status add_source(const oci::Digest& digest, const oci::RegistryHost& source) override {
    const std::lock_guard lock(mutex_);
    auto record = read_complete(digest);
    if (!record || record->has(source)) return {};
    auto& sources = record->sources;
    if (sources.size() == kMaxSources) sources.erase(sources.begin());
    sources.push_back(source.str());
    auto done = write_record(complete_dir(), *record);
    if (done) done = sync_fd(complete_dir());
    return done;
  }

  bool has_source(const oci::Digest& digest, const oci::RegistryHost& source) override {
    const auto record = read_complete(digest);
    return record && record->has(source);
  }

  Result<std::shared_ptr<PieceFile>> open_partial(const bt::BlobMeta& meta) override {
    if (meta.size == 0 || meta.piece_length < bt::kMinPieceLength) {
      return invalid("store_open", "metadata without a size or piece length");
    }
    const std::lock_guard lock(mutex_);
    std::erase_if(live_, [](const auto& entry) { return entry.second.expired(); });
    const auto it = live_.find(meta.digest);
    if (it != live_.end()) {
      if (auto live = it->second.lock()) {
        if (live->meta() == meta) return std::shared_ptr<PieceFile>(std::move(live));
        return conflict("store_open", "the digest is in use with other metadata");
      }
    }
    auto pieces = make_partial(meta);
    if (pieces) live_[meta.digest] = *pieces;
    return pieces;
  }

  Status complete(PieceFile& file) override {
    const bt::BlobMeta& meta = file.meta();
    const std::string name = meta.digest.hex();
    const std::lock_guard lock(mutex_);
    if (exists(complete_dir(), name)) return remove_partial(meta.digest);
    if (auto done = sync_fd(file.fd()); !done) return done;
    pages_->settle(file.fd(), meta.digest, meta.size);
    auto done = write_record(complete_dir(), {.meta = meta, .sources = {}});
    if (done) done = rename_file(partial_dir(), name, complete_dir(), name);
    if (done) done = sync_fd(complete_dir());
    if (done) done = remove_partial(meta.digest);
    return done;
  }

  Status drop(const oci::Digest& digest) override {
    const std::lock_guard lock(mutex_);
    live_.erase(digest);
    remove_file(complete_dir(), digest.hex());
    remove_file(complete_dir(), meta_name(digest));
    if (auto done = remove_partial(digest); !done) return done;
    return sync_fd(complete_dir());
  }

  bool in_memory(const oci::Digest& digest, std::uint64_t offset, std::uint64_t length) override {
    return pages_->holds(digest, offset, length);
  }

  std::vector<Entry> list() override {
    std::vector<Entry> out;
    list_into(out, complete_dir(), true);
    list_into(out, partial_dir(), false);
    return out;
  }

  /// Leftovers that no digest accounts for, and partial blobs whose metadata cannot be read.
  void remove_stale() {
    if (auto names = list_directory(partial_dir(), "store_open")) {
      for (const auto& name : *names) {
        const auto digest = digest_of_name(name.substr(0, name.find('.')));
        if (!digest || name.ends_with(".tmp") || !read_record(partial_dir(), *digest)) {
          remove_file(partial_dir(), name);
        }
      }
    }
    if (auto names = list_directory(complete_dir(), "store_open")) {
      for (const auto& name : *names) {
        const auto digest = digest_of_name(name.substr(0, name.find('.')));
        if (!digest || !exists(complete_dir(), digest->hex())) remove_file(complete_dir(), name);
      }
    }
  }

 private:
  int complete_dir() const { return folders_->complete.get(); }
  int partial_dir() const { return folders_->partial.get(); }

  static std::optional<Record> read_record(int dir, const oci::Digest& digest) {
    auto text = read_whole(dir, meta_name(digest), kMaxMetaFile, "blob_read");
    if (!text) return std::nullopt;
    auto record = decode(as_text(*text));
    if (!record || record->meta.digest != digest) return std::nullopt;
    return record;
  }

  std::optional<Record> read_complete(const oci::Digest& digest) const {
    if (!exists(complete_dir(), digest.hex())) return std::nullopt;
    return read_record(complete_dir(), digest);
  }

  Status write_record(int dir, const Record& record, std::string_view code = "blob_write") {
    const oci::Digest& digest = record.meta.digest;
    const std::string text = encode(record);
    return write_durably(partial_dir(), digest.hex() + ".tmp", dir, meta_name(digest),
                         as_bytes(text), code);
  }

  Result<std::shared_ptr<PieceFile>> make_partial(const bt::BlobMeta& meta) {
    const auto known = read_record(partial_dir(), meta.digest);
    if (!known || !goes_on(known->meta, meta)) {
      if (auto done = remove_partial(meta.digest); !done) return std::move(done).error();
      auto done = write_record(partial_dir(), {.meta = meta, .sources = {}}, "store_open");
      if (!done) return std::move(done).error();
    }
    return open_files(meta);
  }

  Result<std::shared_ptr<PieceFile>> open_files(const bt::BlobMeta& meta) {
    auto data = open_file(partial_dir(), meta.digest.hex(), O_RDWR | O_CREAT, "store_open");
    if (!data) return std::move(data).error();
    auto have = open_file(partial_dir(), have_name(meta.digest), O_RDWR | O_CREAT, "store_open");
    if (!have) return std::move(have).error();
    auto data_size = file_size(data->get(), "store_open");
    if (!data_size) return std::move(data_size).error();
    auto have_size = file_size(have->get(), "store_open");
    if (!have_size) return std::move(have_size).error();

    Bytes bits(FilePieces::bitmap_size(meta));
    if (*data_size == meta.size && *have_size == bits.size()) {
      if (auto done = read_exact(have->get(), 0, bits, "store_open"); !done) {
        return std::move(done).error();
      }
    } else {
      if (auto done = take_room(data->get(), meta.size); !done) {
        static_cast<void>(remove_partial(meta.digest));
        return std::move(done).error();
      }
      if (::ftruncate(have->get(), 0) != 0) return file_error("store_open", "truncate", errno);
      if (auto done = write_all(have->get(), 0, bits, "store_open"); !done) {
        return std::move(done).error();
      }
    }
    return std::make_shared<FilePieces>(meta, std::move(*data), std::move(*have), std::move(bits),
                                        pages_);
  }

  /// All at once: a full disk is told before anything is fetched, and writing where there is room
  /// costs less. A file system that cannot do that has a sparse file.
  static Status take_room(int fd, std::uint64_t size) {
    if (::fallocate(fd, 0, 0, static_cast<off_t>(size)) == 0) return {};
    if (errno == ENOSPC || errno == EDQUOT) return file_error("store_open", "allocate", errno);
    if (::ftruncate(fd, static_cast<off_t>(size)) == 0) return {};
    return file_error("store_open", "truncate", errno);
  }

  Status remove_partial(const oci::Digest& digest) {
    remove_file(partial_dir(), digest.hex());
    remove_file(partial_dir(), have_name(digest));
    remove_file(partial_dir(), meta_name(digest));
    return sync_fd(partial_dir());
  }

  static void list_into(std::vector<Entry>& out, int dir, bool complete) {
    auto names = list_directory(dir, "blob_read");
    if (!names) return;
    for (const auto& name : *names) {
      const auto digest = digest_of_name(name);
      struct stat st{};
      if (!digest || ::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
      // A partial file may be sparse: what it occupies counts, not its length.
      const auto bytes = complete ? static_cast<std::uint64_t>(st.st_size)
                                  : static_cast<std::uint64_t>(st.st_blocks) * 512;
      out.push_back({*digest, bytes, complete, st.st_mtim.tv_sec});
    }
  }

  Fd lock_;
  std::shared_ptr<const CacheFolders> folders_;
  std::shared_ptr<CachePages> pages_;
  std::mutex mutex_;
  std::map<oci::Digest, std::weak_ptr<PieceFile>> live_;
};

}  // namespace

Result<std::unique_ptr<CacheStore>> open_cache_store(const std::string& path,
                                                     std::uint64_t page_cache) {
  auto root = open_root(path);
  if (!root) return std::move(root).error();
  auto lock = lock_root(root->get());
  if (!lock) return conflict("store_open", std::move(lock).error().with(path).detail());
  auto complete = open_subdir(root->get(), "complete");
  if (!complete) return std::move(complete).error();
  auto partial = open_subdir(root->get(), "partial");
  if (!partial) return std::move(partial).error();
  auto folders =
      std::make_shared<const CacheFolders>(CacheFolders{std::move(*complete), std::move(*partial)});
  auto store = std::make_unique<FileCacheStore>(std::move(*lock), std::move(folders), page_cache);
  store->remove_stale();
  return store;
}

}  // namespace convoy::storage
