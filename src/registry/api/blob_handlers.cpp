#include "registry/api/answer.hpp"
#include "registry/api/context.hpp"
#include "wire/http/range.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kReadStep = 256 * 1024;

using Reader = std::shared_ptr<storage::BlobReader>;

Result<Reader> open_linked(Context& api, const oci::RepoName& repository, const oci::Digest& digest,
                           bool head) {
  // Who is told that a blob is there may name it in the manifest it pushes next.
  if (head) {
    const Duration older = api.options.upkeep.rules.lease / 2;
    if (auto held = api.meta.hold_blob(repository, digest, older); !held) {
      return std::move(held).error();
    }
  }
  // The link decides: a blob of another repository is not there, whatever the store holds.
  auto size = api.meta.blob_size(repository, digest);
  if (!size) return std::move(size).error();
  auto reader = api.blobs.open(digest);
  if (!reader) return std::move(reader).error();
  if ((*reader)->size() != *size) return corrupt("blob_size", digest.str());
  return Reader(std::move(*reader));
}

/// The range asked for, or nothing for the whole; If-Range must name this blob (RFC 9110 13.1.5).
Result<std::optional<http::ByteRange>> asked_range(const http::Headers& headers,
                                                   const oci::Digest& digest, std::uint64_t size) {
  const auto range = headers.get("Range");
  if (!range) return std::optional<http::ByteRange>();
  const auto condition = headers.get("If-Range");
  if (condition && *condition != '"' + digest.str() + '"') return std::optional<http::ByteRange>();
  return http::parse_range(*range, size);
}

net::Task<Status> send_from_memory(Context& api, net::HttpExchange& exchange, Reader reader,
                                   http::ByteRange range) {
  Bytes buffer(kReadStep);
  std::uint64_t at = range.offset;
  const std::uint64_t end = range.offset + range.length;
  while (at < end) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kReadStep, end - at));
    const MutableByteView part = MutableByteView(buffer).first(n);
    auto job = [r = reader.get(), at, part] { return r->read_at(at, part); };
    Status read = co_await api.pool.run(std::move(job));
    if (!read) co_return read;
    Status sent = co_await exchange.write(part);
    if (!sent) co_return sent;
    at += n;
  }
  co_return Status{};
}

}  // namespace

net::Task<Status> get_blob(Context& api, Call& call) {
  auto parsed = oci::Digest::parse(call.route.last);
  if (!parsed) co_return std::move(parsed).error();
  const oci::Digest digest = *parsed;
  call.digest = digest.str();
  auto job = [&api, &call, digest] {
    return open_linked(api, call.repository(), digest, call.is_head());
  };
  auto opened = co_await api.pool.run(std::move(job));
  if (!opened) co_return std::move(opened).error();
  const Reader reader = *opened;
  net::HttpExchange& exchange = call.exchange;
  const http::Headers& headers = exchange.request().headers;

  http::ResponseHead head = head_of(200);
  set_digest(head, digest);
  head.headers.set("Accept-Ranges", "bytes");
  head.headers.set("Cache-Control", "private, max-age=31536000, immutable");
  if (none_match(headers, digest)) {
    head.status = 304;
    co_return co_await respond_empty(exchange, std::move(head));
  }
  head.headers.set("Content-Type", "application/octet-stream");
  const std::uint64_t size = reader->size();
  if (call.is_head()) co_return co_await exchange.start(std::move(head), size);

  auto range = asked_range(headers, digest, size);
  if (!range) {
    http::ResponseHead refused = head_of(416);
    refused.headers.set("Content-Range", "bytes */" + std::to_string(size));
    Error why = std::move(range).error();
    co_return co_await respond_error(exchange, std::move(why), std::move(refused));
  }
  http::ByteRange part{0, size};
  if (range->has_value()) {
    part = **range;
    head.status = 206;
    head.headers.set("Content-Range", http::content_range(part, size));
  }
  Status started = co_await exchange.start(std::move(head), part.length);
  if (!started) co_return started;
  if (reader->fd() < 0) co_return co_await send_from_memory(api, exchange, reader, part);
  co_return co_await exchange.send_file(reader->fd(), part.offset, part.length);
}

net::Task<Status> delete_blob(Context& api, Call& call) {
  if (!api.options.allow_delete) co_return invalid("unsupported", "deletion is switched off");
  auto digest = oci::Digest::parse(call.route.last);
  if (!digest) co_return std::move(digest).error();
  call.digest = digest->str();
  auto job = [&api, &call, d = *digest] { return api.meta.unlink_blob(call.repository(), d); };
  Status done = co_await api.pool.run(std::move(job));
  if (!done) co_return done;
  co_return co_await respond_empty(call.exchange, head_of(202));
}

}  // namespace convoy::registry
