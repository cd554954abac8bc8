#include "agent/fetch/small_blobs.hpp"

#include <utility>

#include "agent/fetch/authorizer.hpp"
#include "crypto/hash.hpp"
#include "wire/http/headers.hpp"
#include "wire/oci/manifest.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kRunPatience = std::chrono::seconds(30);
constexpr Duration kBlobPatience = std::chrono::seconds(10);
constexpr std::size_t kMaxUnused = 4096;

std::string without_parameters(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return std::string(type);
}

struct Picked {
  Hash256 manifest{};
  std::vector<SmallBlob> blobs;
};

Status keep(storage::CacheStore& cache, const oci::Digest& digest, ByteView bytes,
            const oci::RegistryHost& source) {
  const auto hasher = crypto::make_hasher(digest.algorithm());
  hasher->update(bytes);
  const Bytes raw = hasher->finish();
  if (oci::Digest::of(digest.algorithm(), raw) != digest) return corrupt("digest_mismatch");
  const bt::BlobMeta meta{.digest = digest,
                          .size = bytes.size(),
                          .piece_length = bt::choose_piece_length(bytes.size()),
                          .pieces_root = {}};
  auto file = cache.open_partial(meta);
  if (!file) return std::move(file).error();
  if (auto written = (*file)->write_at(0, bytes); !written) return written;
  if (auto stored = cache.complete(**file); !stored) return stored;
  return cache.add_source(digest, source);
}

}  // namespace

SmallBlobs::SmallBlobs(SmallBlobsEnv env)
    : env_(std::move(env)), tasks_(env_.executor), landed_(env_.executor) {}

SmallBlobs::Copy::Copy(SmallBlobs& owner, ManifestPull pull, std::string content_type)
    : owner_(owner), pull_(std::move(pull)), content_type_(std::move(content_type)) {
  ++owner_.copies_;
}

SmallBlobs::Copy::~Copy() { --owner_.copies_; }

void SmallBlobs::Copy::add(ByteView bytes) {
  whole_ = whole_ && bytes.size() <= oci::kMaxManifestBytes - body_.size();
  if (whole_) {
    body_.append(as_text(bytes));
  } else {
    std::string().swap(body_);
  }
}

void SmallBlobs::Copy::done() {
  if (!std::exchange(whole_, false)) return;
  SmallBlobs* owner = &owner_;
  // The task's function is copied about, a Secret should not be.
  auto pull = std::make_shared<ManifestPull>(std::move(pull_));
  auto body = std::make_shared<std::string>(std::move(body_));
  owner->tasks_.spawn([owner, pull, type = content_type_, body] {
    return owner->run(std::move(*pull), type, std::move(*body));
  });
}

std::unique_ptr<SmallBlobs::Copy> SmallBlobs::copy(ManifestPull pull,
                                                   const http::ResponseHead& head) {
  if (env_.limit == 0 || head.status != 200 || head.headers.has("Content-Encoding")) return nullptr;
  if (copies_ + tasks_.size() >= kMaxAtOnce) return nullptr;
  std::string type = without_parameters(head.headers.single("Content-Type").value_or(""));
  if (type != oci::kMediaOciManifest && type != oci::kMediaDockerManifest) return nullptr;
  return std::make_unique<Copy>(*this, std::move(pull), std::move(type));
}

net::Task<void> SmallBlobs::wait(oci::Digest digest, Duration patience) {
  const Deadline until = Deadline::in(env_.clock, patience);
  while (flying_.contains(digest)) {
    const SteadyTime now = env_.clock.steady();
    if (until.passed(now)) co_return;
    const bool landed = co_await landed_.wait(until.time() - now);
    if (!landed) co_return;
  }
}

bool SmallBlobs::first_use(const oci::Digest& digest) { return unused_.erase(digest) > 0; }

net::Task<void> SmallBlobs::stop() { co_await tasks_.stop(); }

net::Task<void> SmallBlobs::run(ManifestPull pull, std::string content_type, std::string body) {
  auto job = [&body, &content_type, limit = env_.limit] {
    return Picked{crypto::sha256(as_bytes(body)), small_blobs_of(body, content_type, limit)};
  };
  auto picked = co_await env_.pool.run(std::move(job));
  std::string().swap(body);
  if (picked.blobs.empty() || !manifests_.insert(picked.manifest).second) co_return;
  co_await take_all(std::move(pull), std::move(picked.blobs));
  manifests_.erase(picked.manifest);
}

net::Task<void> SmallBlobs::take_all(ManifestPull pull, std::vector<SmallBlob> blobs) {
  const Deadline whole = Deadline::in(env_.clock, kRunPatience);
  for (const auto& blob : blobs) {
    if (flying_.contains(blob.digest) || claimed_.contains(blob.digest)) continue;
    BlobAsk ask{pull.upstream,       pull.repository, blob.digest,   pull.authorization,
                pull.own_credential, pull.request_id, pull.remote_ip};
    const Deadline deadline = whole.sooner(Deadline::in(env_.clock, kBlobPatience));
    const auto taken = co_await take(std::move(ask), blob.size, deadline);
    if (taken) continue;
    const Error& error = taken.error();
    if (error.kind() == ErrorClass::cancelled) co_return;
    count("failed");
    env_.log.info(
        "a small blob was not taken ahead",
        {{"digest", blob.digest.str()}, {"reason", error.text()}, {"request_id", pull.request_id}});
    // What is wrong with one blob says nothing of the next; anything else does.
    if (error.kind() != ErrorClass::corrupt && error.kind() != ErrorClass::not_found) co_return;
  }
}

net::Task<Status> SmallBlobs::take(BlobAsk ask, std::uint64_t size, Deadline deadline) {
  const oci::Digest digest = ask.digest;
  flying_.insert(digest);
  auto done = co_await into_cache(std::move(ask), size, deadline);
  flying_.erase(digest);
  landed_.notify_all();
  co_return done;
}

net::Task<Status> SmallBlobs::into_cache(BlobAsk ask, std::uint64_t size, Deadline deadline) {
  storage::CacheStore& cache = env_.cache;
  const oci::Digest digest = ask.digest;
  const oci::RegistryHost source = ask.upstream->host;
  auto look = [&cache, digest, source] {
    return cache.open_complete(digest) && cache.has_source(digest, source);
  };
  const bool there = co_await env_.pool.run(std::move(look));
  if (there) co_return Status{};
  auto bytes = co_await fetch(std::move(ask), size, deadline);
  if (!bytes) co_return std::move(bytes).error();
  auto job = [&cache, digest, &bytes, source] { return keep(cache, digest, *bytes, source); };
  auto kept = co_await env_.pool.run(std::move(job));
  if (!kept) co_return kept;
  if (unused_.size() >= kMaxUnused) unused_.clear();
  unused_.insert(digest);
  count("kept");
  co_return Status{};
}

net::Task<Result<Bytes>> SmallBlobs::fetch(BlobAsk ask, std::uint64_t size, Deadline deadline) {
  if (env_.registry_rate) {
    const bool may = co_await env_.registry_rate->acquire(size);
    if (!may) co_return cancelled();
  }
  auto get = [&ask, deadline](std::optional<Secret> credential) {
    return ask.upstream->client->get_blob(ask.repository, ask.digest, 0, std::move(credential),
                                          ask.request_id, deadline);
  };
  auto response = co_await ask_with_credential(ask, deadline, std::move(get));
  if (!response) co_return std::move(response).error();
  if ((*response)->length().value_or(size) != size) co_return corrupt("blob_size");
  // One byte more shows an answer that is too long.
  Bytes bytes(static_cast<std::size_t>(size) + 1);
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    if (deadline.passed(env_.clock.steady())) co_return timed_out("request_timeout");
    const MutableByteView rest = MutableByteView(bytes).subspan(filled);
    auto n = co_await (*response)->read_body(rest);
    if (!n) co_return std::move(n).error();
    if (*n == 0) break;
    filled += *n;
  }
  if (filled != size) co_return corrupt("blob_size");
  bytes.pop_back();
  co_return bytes;
}

void SmallBlobs::count(const char* outcome) {
  env_.metrics
      ->counter("convoy_agent_ahead_total", "Small blobs taken ahead of the engine, by outcome",
                {{"outcome", outcome}})
      .add();
}

}  // namespace convoy::agent
