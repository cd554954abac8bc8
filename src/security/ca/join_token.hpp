#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "security/identity/spiffe.hpp"

namespace convoy::security {

/// What stands in the store for a join token: never the secret, only its SHA-256.
struct JoinTokenRecord {
  std::string id;  ///< 16 hexadecimal digits, not secret
  Hash256 hash{};
  NodeKind kind = NodeKind::node;  ///< node or origin
  std::string name;                ///< "": whatever name the node asks for
  std::string zone;                ///< "": as the node says
  UnixTime expires{};
  std::string used_by;  ///< SPIFFE id of the node that used it; "" while it is fresh
  /// SHA-256 of that node's public key (SPKI). Nothing while it is fresh, or if it was used before
  /// keys were kept.
  std::optional<Hash256> used_key;

  bool operator==(const JoinTokenRecord&) const = default;
};

using JoinTokens = std::map<std::string, JoinTokenRecord, std::less<>>;

/// Where join tokens are kept. Safe from any thread; may block on the disk.
class JoinTokenStore {
 public:
  virtual ~JoinTokenStore() = default;
  /// Errors: conflict "join_token_exists", exhausted "join_token_limit" (10,000 kept),
  /// and those of the disk (unavailable "join_token_store").
  virtual Status add(const JoinTokenRecord&) = 0;
  /// Marks the token used if it may be used now for this node, in one step: of two callers with
  /// different nodes or keys at most one succeeds. Error (unauthorized) "join_token_invalid"
  /// whatever the reason; the reason stands in the detail. "join_token_store" when the disk fails:
  /// then it is not used.
  virtual Result<JoinTokenRecord> redeem(std::string_view id, const Hash256& secret_hash,
                                         const SpiffeId& node, const Hash256& key,
                                         UnixTime now) = 0;
  virtual Result<std::vector<JoinTokenRecord>> list() = 0;
  /// Error not_found "join_token_unknown".
  virtual Status remove(std::string_view id) = 0;
};

class MemoryJoinTokenStore final : public JoinTokenStore {
 public:
  Status add(const JoinTokenRecord&) override;
  Result<JoinTokenRecord> redeem(std::string_view id, const Hash256&, const SpiffeId&,
                                 const Hash256& key, UnixTime now) override;
  Result<std::vector<JoinTokenRecord>> list() override;
  Status remove(std::string_view id) override;

 private:
  std::mutex mutex_;
  JoinTokens records_;
};

/// One JSON file, mode 0600, replaced atomically and durably at each change. Several processes may
/// share it (a lock file beside it) if they run as one user; each call reads it anew.
class FileJoinTokenStore final : public JoinTokenStore {
 public:
  /// The file need not exist yet, its folder must.
  explicit FileJoinTokenStore(std::string path) : path_(std::move(path)) {}
  Status add(const JoinTokenRecord&) override;
  Result<JoinTokenRecord> redeem(std::string_view id, const Hash256&, const SpiffeId&,
                                 const Hash256& key, UnixTime now) override;
  Result<std::vector<JoinTokenRecord>> list() override;
  Status remove(std::string_view id) override;

 private:
  std::string path_;
  std::mutex mutex_;
};

struct JoinTokenSpec {
  NodeKind kind = NodeKind::node;
  std::string name;
  std::string zone;
  std::chrono::seconds lifetime{3600};  ///< at most 30 days
};

/// Makes a token and keeps its record. The text, "cvj_<id 16 hex>_<secret 64 hex>", exists nowhere
/// else. Error "join_token_spec" (kind tracker, bad name or zone, lifetime), those of add().
Result<Secret> create_join_token(JoinTokenStore&, const JoinTokenSpec&, UnixTime now, Random&);

/// Uses a token up for `node`, whose kind and name it must allow, and `key`, the SHA-256 of its
/// public key. Ask only after everything else about the request was found good: a token works once.
/// Until it expires the same node may come again with the same key, for the answer may have been
/// lost. Errors as JoinTokenStore::redeem.
Result<JoinTokenRecord> redeem_join_token(JoinTokenStore&, const Secret& token,
                                          const SpiffeId& node, const Hash256& key, UnixTime now);

/// The record a token's text belongs to, for its kind and zone before it is redeemed with this key.
/// Same uniform error; nothing is changed.
Result<JoinTokenRecord> find_join_token(JoinTokenStore&, const Secret& token, const Hash256& key,
                                        UnixTime now);

}  // namespace convoy::security
