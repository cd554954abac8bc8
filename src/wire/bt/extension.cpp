#include <algorithm>
#include <limits>

#include "wire/bt/bencode.hpp"
#include "wire/bt/message.hpp"

namespace convoy::bt {
namespace {

constexpr std::size_t kMaxPayload = 64 * 1024;
constexpr std::size_t kMaxIds = 64;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxClient = 256;
constexpr std::size_t kMaxTicket = 16 * 1024;
constexpr std::size_t kMaxRequestId = 128;
constexpr std::string_view kRequestId = "cv_rid";
constexpr std::string_view kAge = "cv_age";

Error bad(std::string detail) { return invalid("extension_handshake_invalid", std::move(detail)); }

Status read_ids(const Bencode& root, ExtensionHandshake& out) {
  const auto* member = root.find("m");
  if (member == nullptr) return {};
  const auto* names = member->dict();
  if (names == nullptr || names->size() > kMaxIds) return bad("m");
  for (const auto& [name, value] : *names) {
    const auto* id = value.integer();
    if (id == nullptr || *id < 0 || *id > 255 || name.empty() || name.size() > kMaxName) {
      return bad("id in m");
    }
    if (*id != 0) out.ids.emplace(name, static_cast<std::uint8_t>(*id));
  }
  return {};
}

Status read_text(const Bencode& root, std::string_view key, std::size_t limit, std::string& out) {
  const auto* member = root.find(key);
  if (member == nullptr) return {};
  const auto* text = member->text();
  if (text == nullptr || text->size() > limit) return bad(std::string(key));
  out = *text;
  return {};
}

/// A number from `least` up to the most that its type holds.
template <class T>
Status read_number(const Bencode& root, std::string_view key, T least, std::optional<T>& out) {
  const auto* member = root.find(key);
  if (member == nullptr) return {};
  const auto* n = member->integer();
  if (n == nullptr || *n < least || *n > std::numeric_limits<T>::max())
    return bad(std::string(key));
  out = static_cast<T>(*n);
  return {};
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Bytes encode(const ExtensionHandshake& h) {
  Bencode::Dict ids;
  for (const auto& [name, id] : h.ids) ids.emplace(name, Bencode{std::int64_t{id}});
  Bencode::Dict root;
  root.emplace("m", Bencode{std::move(ids)});
  if (!h.client.empty()) root.emplace("v", Bencode{h.client});
  if (h.listen_port) root.emplace("p", Bencode{std::int64_t{*h.listen_port}});
  if (h.max_requests) root.emplace("reqq", Bencode{std::int64_t{*h.max_requests}});
  if (!h.ticket.empty()) root.emplace(kExtTicket, Bencode{h.ticket});
  if (!h.request_id.empty()) root.emplace(kRequestId, Bencode{h.request_id});
  if (h.age_ms) root.emplace(kAge, Bencode{std::int64_t{*h.age_ms}});
  return encode(Bencode{std::move(root)});
}

Result<ExtensionHandshake> decode_extension_handshake(ByteView in) {
  if (in.size() > kMaxPayload) return bad("too large");
  const auto root = decode_bencode(in);
  if (!root) return bad(root.error().detail());
  if (root->dict() == nullptr) return bad("not a dictionary");
  ExtensionHandshake out;
  if (auto s = read_ids(*root, out); !s) return std::move(s).error();
  if (auto s = read_text(*root, "v", kMaxClient, out.client); !s) return std::move(s).error();
  if (auto s = read_text(*root, kExtTicket, kMaxTicket, out.ticket); !s) {
    return std::move(s).error();
  }
  if (auto s = read_text(*root, kRequestId, kMaxRequestId, out.request_id); !s) {
    return std::move(s).error();
  }
  if (!printable(out.request_id)) return bad("cv_rid");
  if (auto s = read_number(*root, "reqq", std::uint32_t{0}, out.max_requests); !s) {
    return std::move(s).error();
  }
  if (auto s = read_number(*root, kAge, std::uint32_t{0}, out.age_ms); !s) {
    return std::move(s).error();
  }
  if (auto s = read_number(*root, "p", std::uint16_t{1}, out.listen_port); !s) {
    return std::move(s).error();
  }
  return out;
}

}  // namespace convoy::bt
