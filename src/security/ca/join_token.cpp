#include "security/ca/join_token.hpp"

#include "crypto/hash.hpp"
#include "security/ca/join_token_rules.hpp"
#include "wire/bt/zone.hpp"

namespace convoy::security {
namespace {

constexpr std::string_view kPrefix = "cvj_";
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kTextLength = kPrefix.size() + 2 * kIdBytes + 1 + 2 * kSecretBytes;
constexpr std::chrono::seconds kMaxLifetime{30 * 24 * 3600};

Error refuse(std::string reason) { return unauthorized("join_token_invalid", std::move(reason)); }

struct ParsedToken {
  std::string id;
  Hash256 hash;
};

Result<ParsedToken> parse(const Secret& token) {
  const auto text = token.reveal();
  if (text.size() != kTextLength || !text.starts_with(kPrefix)) return refuse("malformed");
  const auto id = text.substr(kPrefix.size(), 2 * kIdBytes);
  const auto secret = text.substr(kPrefix.size() + 2 * kIdBytes + 1);
  const bool separated = text[kPrefix.size() + 2 * kIdBytes] == '_';
  if (!separated || !from_hex(id) || !from_hex(secret)) return refuse("malformed");
  return ParsedToken{std::string(id), crypto::sha256(as_bytes(secret))};
}

Status check_spec(const JoinTokenSpec& spec) {
  if (spec.kind == NodeKind::tracker) return invalid("join_token_spec", "kind tracker");
  if (spec.lifetime.count() <= 0 || spec.lifetime > kMaxLifetime) {
    return invalid("join_token_spec", "lifetime");
  }
  if (!bt::Zone::parse(spec.zone)) return invalid("join_token_spec", "zone");
  const bool named = spec.name.empty() || SpiffeId::make("x", "x", spec.kind, spec.name).ok();
  return named ? Status() : Status(invalid("join_token_spec", "name"));
}

}  // namespace

Status detail::check_join_token(const JoinTokenRecord& record, const Hash256& secret_hash,
                                const Hash256& key, UnixTime now) {
  // The secret first: who does not know it learns nothing of the rest, not even by time.
  if (!constant_time_equal(record.hash, secret_hash)) return refuse("wrong secret");
  if (!record.used_by.empty() && record.used_key != key) return refuse("used by " + record.used_by);
  if (now >= record.expires) return refuse("expired");
  return {};
}

Status detail::check_join_token_for(const JoinTokenRecord& record, const SpiffeId& node) {
  if (record.kind != node.kind) return refuse("for another kind");
  if (!record.name.empty() && record.name != node.name) return refuse("for another name");
  if (!record.used_by.empty() && record.used_by != node.str()) {
    return refuse("used by " + record.used_by);
  }
  return {};
}

Error detail::unknown_join_token() { return refuse("unknown"); }

Status detail::add_join_token(JoinTokens& tokens, const JoinTokenRecord& record) {
  if (tokens.size() >= kMaxJoinTokens) return exhausted("join_token_limit");
  const bool fresh = tokens.emplace(record.id, record).second;
  return fresh ? Status() : Status(conflict("join_token_exists", record.id));
}

Result<JoinTokenRecord> detail::use_join_token(JoinTokens& tokens, std::string_view id,
                                               const Hash256& secret_hash, const SpiffeId& node,
                                               const Hash256& key, UnixTime now) {
  const auto it = tokens.find(id);
  if (it == tokens.end()) return unknown_join_token();
  if (auto good = check_join_token(it->second, secret_hash, key, now); !good) {
    return std::move(good).error();
  }
  if (auto good = check_join_token_for(it->second, node); !good) return std::move(good).error();
  it->second.used_by = node.str();
  it->second.used_key = key;
  return it->second;
}

Result<Secret> create_join_token(JoinTokenStore& store, const JoinTokenSpec& spec, UnixTime now,
                                 Random& random) {
  if (auto good = check_spec(spec); !good) return std::move(good).error();
  JoinTokenRecord record;
  record.id = random.hex(kIdBytes);
  const std::string secret = random.hex(kSecretBytes);
  record.hash = crypto::sha256(as_bytes(secret));
  record.kind = spec.kind;
  record.name = spec.name;
  record.zone = spec.zone;
  record.expires = now + spec.lifetime;
  if (auto added = store.add(record); !added) return std::move(added).error();
  return Secret(std::string(kPrefix) + record.id + "_" + secret);
}

Result<JoinTokenRecord> redeem_join_token(JoinTokenStore& store, const Secret& token,
                                          const SpiffeId& node, const Hash256& key, UnixTime now) {
  const auto parsed = parse(token);
  if (!parsed) return parsed.error();
  return store.redeem(parsed->id, parsed->hash, node, key, now);
}

Result<JoinTokenRecord> find_join_token(JoinTokenStore& store, const Secret& token,
                                        const Hash256& key, UnixTime now) {
  const auto parsed = parse(token);
  if (!parsed) return parsed.error();
  const auto records = store.list();
  if (!records) return records.error();
  for (const auto& record : *records) {
    if (record.id != parsed->id) continue;
    if (auto good = detail::check_join_token(record, parsed->hash, key, now); !good) {
      return std::move(good).error();
    }
    return record;
  }
  return detail::unknown_join_token();
}

Status MemoryJoinTokenStore::add(const JoinTokenRecord& record) {
  const std::lock_guard lock(mutex_);
  return detail::add_join_token(records_, record);
}

Result<JoinTokenRecord> MemoryJoinTokenStore::redeem(std::string_view id, const Hash256& hash,
                                                     const SpiffeId& node, const Hash256& key,
                                                     UnixTime now) {
  const std::lock_guard lock(mutex_);
  return detail::use_join_token(records_, id, hash, node, key, now);
}

Result<std::vector<JoinTokenRecord>> MemoryJoinTokenStore::list() {
  const std::lock_guard lock(mutex_);
  std::vector<JoinTokenRecord> out;
  for (const auto& [id, record] : records_) out.push_back(record);
  return out;
}

Status MemoryJoinTokenStore::remove(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto it = records_.find(id);
  if (it == records_.end()) return not_found("join_token_unknown", std::string(id));
  records_.erase(it);
  return {};
}

}  // namespace convoy::security
