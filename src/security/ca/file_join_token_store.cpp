#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

#include "security/ca/join_token.hpp"
#include "security/ca/join_token_rules.hpp"
#include "storage/blob/posix_file.hpp"
#include "wire/json.hpp"

namespace convoy::security {
namespace {

using storage::Fd;

constexpr std::string_view kCode = "join_token_store";
constexpr std::size_t kMaxFileBytes = 8 * 1024 * 1024;

Error broken(std::string detail) { return unavailable(std::string(kCode), std::move(detail)); }
Error broken(const Error& cause) { return broken(cause.text()); }

/// The folder, held with the lock file locked: nobody else reads or writes the tokens meanwhile.
struct LockedFolder {
  Fd dir;
  Fd lock;
  std::string name;
};

Result<LockedFolder> open_locked(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  LockedFolder out;
  out.name = slash == std::string::npos ? path : path.substr(slash + 1);
  out.dir = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out.dir) return broken(storage::file_error(std::string(kCode), folder, errno));
  auto lock = storage::open_file(out.dir.get(), out.name + ".lock", O_RDWR | O_CREAT, kCode);
  if (!lock) return broken(lock.error());
  out.lock = std::move(*lock);
  while (::flock(out.lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return broken(storage::file_error(std::string(kCode), "lock", errno));
  }
  return out;
}

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

Result<JoinTokens> load(const LockedFolder& folder) {
  const auto bytes = storage::read_whole(folder.dir.get(), folder.name, kMaxFileBytes, kCode);
  if (!bytes && bytes.error().code() == "file_unknown") return JoinTokens();
  if (!bytes) return broken(bytes.error());
  const auto object = wire::parse_json_object(as_text(*bytes), {.max_bytes = kMaxFileBytes});
  if (!object) return broken(object.error());
  const auto* list = object->if_contains("tokens");
  if (list == nullptr || !list->is_array()) return broken("no list of tokens in the file");
  JoinTokens out;
  for (const auto& value : list->get_array()) {
    auto record = from_json(value);
    if (!record) return broken("an entry of the file cannot be read");
    std::string id = record->id;
    if (!out.emplace(std::move(id), std::move(*record)).second) return broken("an id stands twice");
  }
  return out;
}

Status save(const LockedFolder& folder, const JoinTokens& tokens) {
  boost::json::array list;
  for (const auto& [id, record] : tokens) list.emplace_back(to_json(record));
  boost::json::object file;
  file["tokens"] = std::move(list);
  const std::string text = boost::json::serialize(file) + "\n";
  const int dir = folder.dir.get();
  auto done =
      storage::write_durably(dir, folder.name + ".tmp", dir, folder.name, as_bytes(text), kCode);
  if (done) done = storage::sync_fd(dir, kCode);
  return done ? done : Status(broken(done.error()));
}

}  // namespace

Status FileJoinTokenStore::add(const JoinTokenRecord& record) {
  const std::lock_guard lock(mutex_);
  const auto folder = open_locked(path_);
  if (!folder) return folder.error();
  auto tokens = load(*folder);
  if (!tokens) return std::move(tokens).error();
  if (auto added = detail::add_join_token(*tokens, record); !added) return added;
  return save(*folder, *tokens);
}

Result<JoinTokenRecord> FileJoinTokenStore::redeem(std::string_view id, const Hash256& hash,
                                                   const SpiffeId& node, const Hash256& key,
                                                   UnixTime now) {
  const std::lock_guard lock(mutex_);
  const auto folder = open_locked(path_);
  if (!folder) return folder.error();
  auto tokens = load(*folder);
  if (!tokens) return std::move(tokens).error();
  auto used = detail::use_join_token(*tokens, id, hash, node, key, now);
  if (!used) return used;
  if (auto saved = save(*folder, *tokens); !saved) return std::move(saved).error();
  return used;
}

Result<std::vector<JoinTokenRecord>> FileJoinTokenStore::list() {
  const std::lock_guard lock(mutex_);
  const auto folder = open_locked(path_);
  if (!folder) return folder.error();
  auto tokens = load(*folder);
  if (!tokens) return std::move(tokens).error();
  std::vector<JoinTokenRecord> out;
  for (auto& [id, record] : *tokens) out.push_back(std::move(record));
  return out;
}

Status FileJoinTokenStore::remove(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto folder = open_locked(path_);
  if (!folder) return folder.error();
  auto tokens = load(*folder);
  if (!tokens) return std::move(tokens).error();
  const auto it = tokens->find(id);
  if (it == tokens->end()) return not_found("join_token_unknown", std::string(id));
  tokens->erase(it);
  return save(*folder, *tokens);
}

}  // namespace convoy::security
