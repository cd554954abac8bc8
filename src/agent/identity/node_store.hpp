#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "clients/tracker/tracker_client.hpp"
#include "crypto/key.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::agent {

/// Who this node is, as enrolment made it.
struct NodeIdentity {
  crypto::PrivateKey key;
  clients::Enrolment enrolment;
};

/// The node's key and certificate on disk: node-key.pem (0600) and node.json, replaced atomically.
/// The calls block.
class NodeStore {
 public:
  /// `dir`: made with mode 0700 when absent. Error "store_open" when others may write to it.
  static Result<NodeStore> open(const std::string& dir);

  /// Nothing when the node has not been enrolled yet, or when what is there does not fit together
  /// (the reason in `why`): then it has to enrol anew.
  std::optional<NodeIdentity> load(std::string& why) const;
  /// The key kept for this node, made on first use. It never leaves the machine.
  Result<crypto::PrivateKey> key();
  Status save(const clients::Enrolment&);
  /// A file that others on this machine may read once they can enter the directory.
  Status write_public(const std::string& name, std::string_view text);
  /// Open as long as the store.
  int directory() const { return dir_.get(); }

 private:
  explicit NodeStore(storage::Fd dir) : dir_(std::move(dir)) {}
  Status write(const std::string& name, std::string_view text);

  storage::Fd dir_;
};

}  // namespace convoy::agent
