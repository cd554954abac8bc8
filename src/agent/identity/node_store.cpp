#include "agent/identity/node_store.hpp"

#include <boost/json.hpp>
#include <fcntl.h>
#include <sys/stat.h>

#include "crypto/certificate.hpp"
#include "wire/json.hpp"

namespace convoy::agent {
namespace {

namespace json = boost::json;

const std::string kKeyFile = "node-key.pem";
const std::string kNodeFile = "node.json";
constexpr std::size_t kMaxKey = 16 * 1024;
constexpr std::size_t kMaxNode = 1024 * 1024;

std::string encode(const clients::Enrolment& enrolment) {
  json::array registries;
  for (const auto& registry : enrolment.registries) {
    json::object entry;
    entry["host"] = registry.host;
    entry["issuer"] = registry.issuer;
    entry["roots"] = registry.roots_pem;
    registries.push_back(std::move(entry));
  }
  json::object out;
  out["id"] = enrolment.id;
  out["chain"] = enrolment.chain_pem;
  out["root"] = enrolment.root_pem;
  out["cluster"] = enrolment.cluster;
  out["trust_domain"] = enrolment.trust_domain;
  out["zone"] = enrolment.zone.str();
  out["registries"] = std::move(registries);
  return json::serialize(out);
}

std::optional<clients::Enrolment> decode(std::string_view text) {
  const auto object = wire::parse_json_object(text);
  if (!object) return std::nullopt;
  const auto member = [&](std::string_view key) {
    return wire::json_string(*object, key).value_or("");
  };
  clients::Enrolment out;
  out.id = member("id");
  out.chain_pem = member("chain");
  out.root_pem = member("root");
  out.cluster = member("cluster");
  out.trust_domain = member("trust_domain");
  auto zone = bt::Zone::parse(member("zone"));
  if (!zone) return std::nullopt;
  out.zone = std::move(*zone);
  const auto* list = object->if_contains("registries");
  if (list == nullptr || !list->is_array()) return std::nullopt;
  for (const auto& value : list->get_array()) {
    const auto* entry = value.if_object();
    if (entry == nullptr) return std::nullopt;
    out.registries.push_back({.host = wire::json_string(*entry, "host").value_or(""),
                              .issuer = wire::json_string(*entry, "issuer").value_or(""),
                              .roots_pem = wire::json_string(*entry, "roots").value_or("")});
  }
  return out;
}

}  // namespace

Result<NodeStore> NodeStore::open(const std::string& dir) {
  auto fd = storage::open_root(dir);
  if (!fd) return std::move(fd).error();
  return NodeStore(std::move(*fd));
}

std::optional<NodeIdentity> NodeStore::load(std::string& why) const {
  auto pem = storage::read_whole(dir_.get(), kKeyFile, kMaxKey, "store_read");
  auto text = storage::read_whole(dir_.get(), kNodeFile, kMaxNode, "store_read");
  if (!pem || !text) {
    why = "not enrolled yet";
    return std::nullopt;
  }
  auto key = crypto::PrivateKey::from_pem(Secret(std::string(as_text(*pem))));
  auto enrolment = decode(as_text(*text));
  if (!key || !enrolment) {
    why = "the stored identity cannot be read";
    return std::nullopt;
  }
  const auto chain = crypto::Certificate::chain_from_pem(enrolment->chain_pem);
  if (!chain || chain->front().public_key().spki() != key->public_key().spki()) {
    why = "the stored certificate is not of the stored key";
    return std::nullopt;
  }
  return NodeIdentity{std::move(*key), std::move(*enrolment)};
}

Result<crypto::PrivateKey> NodeStore::key() {
  auto pem = storage::read_whole(dir_.get(), kKeyFile, kMaxKey, "store_read");
  if (pem) return crypto::PrivateKey::from_pem(Secret(std::string(as_text(*pem))));
  if (pem.error().kind() != ErrorClass::not_found) return std::move(pem).error();
  auto key = crypto::PrivateKey::generate();
  const Secret text = key.to_pem();
  if (auto done = write(kKeyFile, text.reveal()); !done) return std::move(done).error();
  return key;
}

Status NodeStore::save(const clients::Enrolment& enrolment) {
  return write(kNodeFile, encode(enrolment));
}

Status NodeStore::write(const std::string& name, std::string_view text) {
  auto done = storage::write_durably(dir_.get(), name + ".tmp", dir_.get(), name, as_bytes(text),
                                     "store_write");
  if (done) done = storage::sync_fd(dir_.get(), "store_write");
  return done;
}

Status NodeStore::write_public(const std::string& name, std::string_view text) {
  if (auto done = write(name, text); !done) return done;
  if (::fchmodat(dir_.get(), name.c_str(), 0644, 0) != 0) {
    return internal_error("store_write", name + " cannot be made readable");
  }
  return {};
}

}  // namespace convoy::agent
