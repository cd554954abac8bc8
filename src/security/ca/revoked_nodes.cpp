#include "security/ca/revoked_nodes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "security/ca/locked_file.hpp"
#include "wire/json.hpp"

namespace convoy::security {
namespace {

using detail::LockedFile;

constexpr std::string_view kCode = "revoked_nodes";
constexpr std::size_t kMaxFileBytes = 8 * 1024 * 1024;

std::string key_of(NodeKind kind, std::string_view name) {
  return std::string(to_string(kind)) + "/" + std::string(name);
}

Result<RevokedNames> load(const LockedFile& file) {
  const auto bytes = file.read(kMaxFileBytes);
  if (!bytes) return bytes.error();
  if (!*bytes) return RevokedNames();
  const auto object = wire::parse_json_object(as_text(**bytes), {.max_bytes = kMaxFileBytes});
  if (!object) return file.broken(object.error().text());
  const auto* list = object->if_contains("revoked");
  if (list == nullptr || !list->is_array()) return file.broken("no list of nodes in the file");
  RevokedNames out;
  for (const auto& value : list->get_array()) {
    if (!value.is_string()) return file.broken("an entry of the file cannot be read");
    out.emplace(value.get_string().data(), value.get_string().size());
  }
  return out;
}

Status save(const LockedFile& file, const RevokedNames& names) {
  boost::json::object out;
  out["revoked"] = boost::json::array(names.begin(), names.end());
  return file.write(boost::json::serialize(out) + "\n");
}

}  // namespace

bool is_revoked(const RevokedNames& names, const SpiffeId& id) {
  return names.contains(key_of(id.kind, id.name));
}

Status RevokedNodes::add(NodeKind kind, std::string_view name) {
  if (const auto id = SpiffeId::make("x", "x", kind, name); !id) return id.error();
  const std::lock_guard lock(mutex_);
  const auto file = LockedFile::open(path_, kCode);
  if (!file) return file.error();
  auto names = load(*file);
  if (!names) return std::move(names).error();
  names->insert(key_of(kind, name));
  return save(*file, *names);
}

Status RevokedNodes::remove(NodeKind kind, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto file = LockedFile::open(path_, kCode);
  if (!file) return file.error();
  auto names = load(*file);
  if (!names) return std::move(names).error();
  if (names->erase(key_of(kind, name)) == 0) {
    return not_found("node_not_revoked", key_of(kind, name));
  }
  return save(*file, *names);
}

Result<RevokedNames> RevokedNodes::list() {
  const std::lock_guard lock(mutex_);
  const auto file = LockedFile::open(path_, kCode);
  if (!file) return file.error();
  return load(*file);
}

}  // namespace convoy::security
