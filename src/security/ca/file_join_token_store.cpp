#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "security/ca/join_token.hpp"
#include "security/ca/join_token_rules.hpp"
#include "security/ca/locked_file.hpp"
#include "wire/json.hpp"

namespace convoy::security {
namespace {

using detail::LockedFile;

constexpr std::string_view kCode = "join_token_store";
constexpr std::size_t kMaxFileBytes = 8 * 1024 * 1024;

boost::json::object to_json(const JoinTokenRecord& r) {
  boost::json::object out;
  out["id"] = r.id;
  out["sha256"] = to_hex(r.hash);
  out["kind"] = to_string(r.kind);
  out["name"] = r.name;
  out["zone"] = r.zone;
  out["expires"] = r.expires.time_since_epoch().count();
  out["used_by"] = r.used_by;
  if (r.used_key) out["used_key"] = to_hex(*r.used_key);
  return out;
}

std::optional<JoinTokenRecord> from_json(const boost::json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const auto& o = value.get_object();
  const auto id = wire::json_string(o, "id");
  const auto hash = hash256_from_hex(wire::json_string(o, "sha256").value_or(""));
  const auto kind = parse_node_kind(wire::json_string(o, "kind").value_or(""));
  const auto name = wire::json_string(o, "name");
  const auto zone = wire::json_string(o, "zone");
  const auto expires = wire::json_int(o, "expires");
  // Absent must not read as "fresh": a token without a state is not one.
  const auto used_by = wire::json_string(o, "used_by");
  if (!id || !hash || !kind || !name || !zone || !expires || !used_by) return std::nullopt;
  const auto used_key = hash256_from_hex(wire::json_string(o, "used_key").value_or(""));
  if (o.contains("used_key") && !used_key) return std::nullopt;
  return JoinTokenRecord{*id,      *hash,   *kind,
                         *name,    *zone,   UnixTime(std::chrono::seconds(*expires)),
                         *used_by, used_key};
}

Result<JoinTokens> load(const LockedFile& file) {
  const auto bytes = file.read(kMaxFileBytes);
  if (!bytes) return bytes.error();
  if (!*bytes) return JoinTokens();
  const auto object = wire::parse_json_object(as_text(**bytes), {.max_bytes = kMaxFileBytes});
  if (!object) return file.broken(object.error().text());
  const auto* list = object->if_contains("tokens");
  if (list == nullptr || !list->is_array()) return file.broken("no list of tokens in the file");
  JoinTokens out;
  for (const auto& value : list->get_array()) {
    auto record = from_json(value);
    if (!record) return file.broken("an entry of the file cannot be read");
    std::string id = record->id;
    if (!out.emplace(std::move(id), std::move(*record)).second) {
      return file.broken("an id stands twice");
    }
  }
  return out;
}

Status save(const LockedFile& file, const JoinTokens& tokens) {
  boost::json::array list;
  for (const auto& [id, record] : tokens) list.emplace_back(to_json(record));
  boost::json::object out;
  out["tokens"] = std::move(list);
  return file.write(boost::json::serialize(out) + "\n");
}

}  // namespace

Status FileJoinTokenStore::add(const JoinTokenRecord& record) {
  const std::lock_guard lock(mutex_);
  const auto file = LockedFile::open(path_, kCode);
  if (!file) return file.error();
  auto tokens = load(*file);
  if (!tokens) return std::move(tokens).error();
  if (auto added = detail::add_join_token(*tokens, record); !added) return added;
  return save(*file, *tokens);
}

Result<JoinTokenRecord> FileJoinTokenStore::redeem(std::string_view id, const Hash256& hash,
                                                   const SpiffeId& node, const Hash256& key,
                                                   UnixTime now) {
  const std::lock_guard lock(mutex_);
  const auto file = LockedFile::open(path_, kCode);
  if (!file) return file.error();
  auto tokens = load(*file);
  if (!tokens) return std::move(tokens).error();
  auto used = detail::use_join_token(*tokens, id, hash, node, key, now);
  if (!used) return used;
  if (auto saved = save(*file, *tokens); !saved) return std::move(saved).error();
  return used;
}

Result<std::vector<JoinTokenRecord>> FileJoinTokenStore::list() {
  const std::lock_guard lock(mutex_);
  const auto file = LockedFile::open(path_, kCode);
  if (!file) return file.error();
  auto tokens = load(*file);
  if (!tokens) return std::move(tokens).error();
  std::vector<JoinTokenRecord> out;
  for (auto& [id, record] : *tokens) out.push_back(std::move(record));
  return out;
}

Status FileJoinTokenStore::remove(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto file = LockedFile::open(path_, kCode);
  if (!file) return file.error();
  auto tokens = load(*file);
  if (!tokens) return std::move(tokens).error();
  const auto it = tokens->find(id);
  if (it == tokens->end()) return not_found("join_token_unknown", std::string(id));
  tokens->erase(it);
  return save(*file, *tokens);
}

}  // namespace convoy::security
