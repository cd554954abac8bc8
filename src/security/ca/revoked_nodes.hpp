#pragma once

#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "security/identity/spiffe.hpp"

namespace convoy::security {

/// Nodes that are refused whatever certificate they show, as "<kind>/<name>".
using RevokedNames = std::set<std::string, std::less<>>;

/// Whether it holds this node.
bool is_revoked(const RevokedNames&, const SpiffeId&);

/// Where the operator keeps them: one JSON file beside the join tokens, mode 0600, replaced
/// atomically and durably at each change. Several processes may share it as they do the tokens'.
/// Safe from any thread; blocks on the disk. Error unavailable "revoked_nodes" when the disk fails
/// or the file cannot be read whole.
class RevokedNodes {
 public:
  /// The file need not exist yet, its folder must.
  explicit RevokedNodes(const std::string& join_token_file) : path_(join_token_file + ".revoked") {}

  /// Good also when it stands there already. Error "spiffe_id_invalid" for a name no node can have.
  Status add(NodeKind, std::string_view name);
  /// Error not_found "node_not_revoked".
  Status remove(NodeKind, std::string_view name);
  Result<RevokedNames> list();

 private:
  std::string path_;
  std::mutex mutex_;
};

}  // namespace convoy::security
