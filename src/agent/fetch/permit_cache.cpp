#include "agent/fetch/permit_cache.hpp"

#include <cstring>
#include <string>

#include "crypto/hash.hpp"

namespace convoy::agent {
namespace {

void append(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

}  // namespace

bool signs_tree(const Permit& permit, const bt::BlobMeta& meta) {
  return permit.pass && permit.pass->meta == meta && meta.pieces_root != Hash256{};
}

Hash256 permit_key(const BlobAsk& ask, const std::optional<Secret>& authorization) {
  std::string text = "convoy-permit-1|";
  append(text, ask.own_credential ? "own" : "client");
  append(text, authorization ? "some" : "none");
  append(text, authorization ? authorization->reveal() : std::string_view());
  append(text, ask.upstream->host.str());
  append(text, ask.repository.str());
  append(text, ask.digest.str());
  const Secret wiped(std::move(text));
  return crypto::sha256(as_bytes(wiped.reveal()));
}

std::size_t PermitCache::HashOfHash::operator()(const Hash256& hash) const noexcept {
  std::size_t out = 0;
  std::memcpy(&out, hash.data(), sizeof out);
  return out;
}

std::optional<Permit> PermitCache::find(const Hash256& key, SteadyTime now) const {
  const auto it = entries_.find(key);
  if (it == entries_.end() || now >= it->second.until) return std::nullopt;
  return it->second.permit;
}

void PermitCache::put(const Hash256& key, Permit permit, SteadyTime now) {
  if (entries_.size() >= kMaxEntries) {
    std::erase_if(entries_, [&](const auto& entry) { return now >= entry.second.until; });
    if (entries_.size() >= kMaxEntries) entries_.clear();
  }
  entries_.insert_or_assign(key, Entry{std::move(permit), now + kLife});
}

}  // namespace convoy::agent
