#pragma once

#include "security/ca/join_token.hpp"

// What both stores do to their records, so that they cannot differ.
namespace convoy::security::detail {

inline constexpr std::size_t kMaxJoinTokens = 10'000;

/// Whether it may still be used with this secret, and by whoever has this key.
Status check_join_token(const JoinTokenRecord&, const Hash256& secret_hash, const Hash256& key,
                        UnixTime now);
/// Whether it is for this node.
Status check_join_token_for(const JoinTokenRecord&, const SpiffeId& node);
Error unknown_join_token();

Status add_join_token(JoinTokens&, const JoinTokenRecord&);
Result<JoinTokenRecord> use_join_token(JoinTokens&, std::string_view id, const Hash256& secret_hash,
                                       const SpiffeId& node, const Hash256& key, UnixTime now);

}  // namespace convoy::security::detail
