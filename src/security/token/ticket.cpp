#include "security/token/ticket.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "security/token/jwt_claims.hpp"
#include "wire/json.hpp"

namespace convoy::security {
namespace {

constexpr std::string_view kType = "convoy-ticket+jwt";
constexpr std::string_view kAudience = "swarm";
constexpr std::string_view kThumbprint = "x5t#S256";
constexpr std::size_t kIdBytes = 16;
constexpr detail::TokenFamily kFamily{"ticket"};

std::int64_t count(UnixTime t) { return t.time_since_epoch().count(); }

std::optional<Hash256> thumbprint_claim(const boost::json::object& claims) {
  const auto* cnf = claims.if_contains("cnf");
  if (cnf == nullptr || !cnf->is_object()) return std::nullopt;
  const auto text = wire::json_string(cnf->get_object(), kThumbprint);
  const auto bytes = text ? from_base64url(*text) : std::nullopt;
  Hash256 out;
  if (!bytes || bytes->size() != out.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

std::optional<TicketActions> actions_claim(const boost::json::object& claims) {
  const auto* act = claims.if_contains("act");
  if (act == nullptr || !act->is_array()) return std::nullopt;
  TicketActions out;
  for (const auto& value : act->get_array()) {
    if (!value.is_string()) return std::nullopt;
    const std::string_view text(value.get_string());
    bool* const flag = text == "leech" ? &out.leech : text == "seed" ? &out.seed : nullptr;
    if (flag == nullptr || *flag) return std::nullopt;
    *flag = true;
  }
  return out.leech || out.seed ? std::optional(out) : std::nullopt;
}

std::optional<SpiffeId> id_claim(const boost::json::object& claims, std::string_view name) {
  const auto text = wire::json_string(claims, name);
  auto id = text ? SpiffeId::parse(*text) : Result<SpiffeId>(invalid("absent"));
  return id ? std::optional(*std::move(id)) : std::nullopt;
}

/// Left out by nodes of the common zone.
std::optional<bt::Zone> zone_claim(const boost::json::object& claims) {
  if (!claims.contains("zone")) return bt::Zone();
  const auto text = wire::json_string(claims, "zone");
  auto zone = text ? bt::Zone::parse(*text) : Result<bt::Zone>(invalid("absent"));
  return zone ? std::optional(*std::move(zone)) : std::nullopt;
}

/// Form alone: each claim is there and of its kind.
Result<Ticket> read_claims(const boost::json::object& claims, const detail::TokenTimes& times) {
  const auto issuer = id_claim(claims, "iss");
  const auto subject = id_claim(claims, "sub");
  const auto cluster = wire::json_string(claims, "cluster");
  const auto digest_text = wire::json_string(claims, "dig");
  const auto hash_text = wire::json_string(claims, "ih");
  const auto actions = actions_claim(claims);
  const auto certificate = thumbprint_claim(claims);
  const auto id = wire::json_string(claims, "jti");
  const auto zone = zone_claim(claims);
  if (!issuer || issuer->kind != NodeKind::tracker) return kFamily.malformed("iss");
  if (!subject) return kFamily.malformed("sub");
  if (!cluster) return kFamily.malformed("cluster");
  const auto digest = oci::Digest::parse(digest_text.value_or(""));
  if (!digest) return kFamily.malformed("dig");
  const auto info_hash = hash256_from_hex(hash_text.value_or(""));
  if (!info_hash) return kFamily.malformed("ih");
  if (!actions) return kFamily.malformed("act");
  if (!certificate) return kFamily.malformed("cnf");
  if (!id || id->size() != 2 * kIdBytes || !from_hex(*id)) return kFamily.malformed("jti");
  if (!zone) return kFamily.malformed("zone");
  return Ticket{*issuer,          *subject,      *cluster,     *digest,
                *info_hash,       *actions,      *certificate, times.issued_at,
                times.not_before, times.expires, *id,          *zone};
}

Status check_blob(const Ticket& ticket, const TicketDemand& demand) {
  const bool same =
      constant_time_equal(ticket.info_hash, demand.info_hash) && ticket.digest == demand.digest;
  return same ? Status() : kFamily.refused("wrong_blob");
}

/// Who may show it: the holder of the certificate's key, under the certificate's name.
Status check_holder(const Ticket& ticket, const crypto::Certificate& connection) {
  const Hash256 shown = connection.thumbprint();
  if (!constant_time_equal(ticket.certificate, shown)) return kFamily.refused("wrong_certificate");
  const auto name = spiffe_of(connection);
  if (!name) return kFamily.refused("wrong_subject", name.error().detail());
  if (*name != ticket.subject) return kFamily.refused("wrong_subject");
  if (name->cluster != ticket.cluster || name->trust_domain != ticket.issuer.trust_domain) {
    return kFamily.refused("wrong_subject", "a name of another cluster");
  }
  return {};
}

Status check_actions(const Ticket& ticket, const TicketActions& wanted) {
  const bool enough =
      (ticket.actions.leech || !wanted.leech) && (ticket.actions.seed || !wanted.seed);
  return enough ? Status() : Status(denied("ticket_wrong_action"));
}

}  // namespace

std::string TicketIssuer::issue(const TicketGrant& grant) const {
  const UnixTime now = clock_->wall();
  boost::json::array act;
  if (grant.actions.leech) act.emplace_back("leech");
  if (grant.actions.seed) act.emplace_back("seed");
  boost::json::object cnf;
  cnf[kThumbprint] = to_base64url(grant.certificate);
  boost::json::object claims;
  claims["iss"] = issuer_.str();
  claims["sub"] = grant.subject.str();
  claims["aud"] = kAudience;
  claims["cluster"] = issuer_.cluster;
  claims["dig"] = grant.digest.str();
  claims["ih"] = to_hex(grant.info_hash);
  claims["act"] = std::move(act);
  claims["cnf"] = std::move(cnf);
  claims["iat"] = count(now);
  claims["nbf"] = count(now);
  claims["exp"] = count(now + std::min(grant.lifetime, kMaxTicketLifetime));
  claims["jti"] = random_->hex(kIdBytes);
  if (!grant.zone.common()) claims["zone"] = grant.zone.str();
  return crypto::sign_jwt(signer_, kType, claims);
}

Result<Ticket> TicketVerifier::verify(std::string_view compact,
                                      const crypto::Certificate& connection,
                                      const TicketDemand& demand) const {
  const UnixTime now = clock_->wall();
  const auto token = detail::open_jwt(kFamily, compact, kType, *signers_, now);
  if (!token) return token.error();
  const auto times = detail::check_times(kFamily, token->claims, now, kMaxTicketLifetime);
  if (!times) return times.error();
  auto ticket = read_claims(token->claims, *times);
  if (!ticket) return ticket;
  if (wire::json_string(token->claims, "aud") != kAudience) return kFamily.refused("audience");
  if (ticket->cluster != cluster_ || ticket->issuer.cluster != cluster_) {
    return kFamily.refused("wrong_cluster");
  }
  if (auto good = check_blob(*ticket, demand); !good) return std::move(good).error();
  if (auto good = check_holder(*ticket, connection); !good) return std::move(good).error();
  if (auto good = check_actions(*ticket, demand.actions); !good) return std::move(good).error();
  return ticket;
}

}  // namespace convoy::security
