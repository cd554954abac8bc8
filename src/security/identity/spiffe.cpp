#include "security/identity/spiffe.hpp"

#include <array>

namespace convoy::security {
namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::size_t kMaxIdLength = 1024;
constexpr std::size_t kMaxNameLength = 253;
constexpr std::size_t kMaxClusterLength = 63;

bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool valid_part(std::string_view part, std::size_t max_length) {
  if (part.empty() || part.size() > max_length) return false;
  if (!letter_or_digit(part.front()) || !letter_or_digit(part.back())) return false;
  for (const char c : part) {
    if (!letter_or_digit(c) && c != '.' && c != '-') return false;
  }
  return part.find("..") == std::string_view::npos;
}

Error bad(std::string detail) { return invalid("spiffe_id_invalid", std::move(detail)); }

/// The text up to the next '/', taken off `rest` with it.
std::string_view take_segment(std::string_view& rest) {
  const std::size_t end = rest.find('/');
  const auto segment = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return segment;
}

}  // namespace

std::string_view to_string(NodeKind kind) {
  switch (kind) {
    case NodeKind::node:
      return "node";
    case NodeKind::origin:
      return "origin";
    case NodeKind::tracker:
      return "tracker";
  }
  return "";
}

std::optional<NodeKind> parse_node_kind(std::string_view text) {
  for (const auto kind : {NodeKind::node, NodeKind::origin, NodeKind::tracker}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

Result<SpiffeId> SpiffeId::make(std::string_view trust_domain, std::string_view cluster,
                                NodeKind kind, std::string_view name) {
  if (!valid_part(trust_domain, kMaxNameLength)) return bad("trust domain");
  if (!valid_part(cluster, kMaxClusterLength)) return bad("cluster");
  if (!valid_part(name, kMaxNameLength)) return bad("name");
  return SpiffeId{std::string(trust_domain), std::string(cluster), kind, std::string(name)};
}

Result<SpiffeId> SpiffeId::parse(std::string_view text) {
  if (text.size() > kMaxIdLength) return bad("too long");
  if (!text.starts_with(kScheme)) return bad("no spiffe:// URI");
  std::string_view rest = text.substr(kScheme.size());
  const auto trust_domain = take_segment(rest);
  if (take_segment(rest) != "cluster") return bad("no cluster in the path");
  const auto cluster = take_segment(rest);
  const auto kind = parse_node_kind(take_segment(rest));
  if (!kind) return bad("unknown kind");
  return make(trust_domain, cluster, *kind, rest);  // a further '/' is no valid name
}

std::string SpiffeId::str() const {
  std::string out(kScheme);
  out += trust_domain;
  out += "/cluster/";
  out += cluster;
  out += '/';
  out += to_string(kind);
  out += '/';
  out += name;
  return out;
}

Result<SpiffeId> spiffe_of(const crypto::Certificate& certificate) {
  const auto uris = certificate.uris();
  if (uris.size() != 1) {
    return unauthorized("spiffe_id_invalid",
                        "the certificate has " + std::to_string(uris.size()) + " URI names");
  }
  auto id = SpiffeId::parse(uris.front());
  if (!id) return unauthorized("spiffe_id_invalid", "of the certificate: " + id.error().detail());
  return id;
}

}  // namespace convoy::security
