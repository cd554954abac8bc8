#include "security/token/metadata_statement.hpp"

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "security/token/jwt_claims.hpp"
#include "wire/json.hpp"

namespace convoy::security {
namespace {

constexpr std::string_view kType = "convoy-metadata+jwt";
constexpr detail::TokenFamily kFamily{"metadata"};

Result<bt::BlobMeta> read_meta(const boost::json::object& claims) {
  const auto digest = oci::Digest::parse(wire::json_string(claims, "dig").value_or(""));
  const auto size = wire::json_int(claims, "size");
  const auto piece_length = wire::json_int(claims, "pl");
  const auto root = hash256_from_hex(wire::json_string(claims, "root").value_or(""));
  if (!digest) return kFamily.malformed("dig");
  if (!size || *size < 1) return kFamily.malformed("size");
  const auto bytes = static_cast<std::uint64_t>(*size);
  if (!piece_length || *piece_length != std::int64_t{bt::choose_piece_length(bytes)}) {
    return kFamily.malformed("pl");
  }
  if (!root) return kFamily.malformed("root");
  return bt::BlobMeta{*digest, bytes, static_cast<std::uint32_t>(*piece_length), *root};
}

}  // namespace

std::string MetadataSigner::sign(const bt::BlobMeta& meta) const {
  const auto now = clock_->wall().time_since_epoch().count();
  boost::json::object claims;
  claims["iss"] = issuer_;
  claims["dig"] = meta.digest.str();
  claims["size"] = meta.size;
  claims["pl"] = meta.piece_length;
  claims["root"] = to_hex(meta.pieces_root);
  claims["iat"] = now;
  claims["exp"] = now + kMetadataLifetime.count();
  return crypto::sign_jwt(signer_, kType, claims);
}

Result<MetadataStatement> MetadataVerifier::verify(std::string_view compact,
                                                   const oci::Digest& asked) const {
  const UnixTime now = clock_->wall();
  const auto token = detail::open_jwt(kFamily, compact, kType, *signers_, now);
  if (!token) return token.error();
  const auto times = detail::check_times(kFamily, token->claims, now, kMetadataLifetime);
  if (!times) return times.error();
  if (wire::json_string(token->claims, "iss") != issuer_) {
    return kFamily.refused("wrong_issuer");
  }
  const auto meta = read_meta(token->claims);
  if (!meta) return meta.error();
  if (meta->digest != asked) return kFamily.refused("wrong_blob");
  return MetadataStatement{issuer_, *meta, times->issued_at, times->expires};
}

}  // namespace convoy::security
