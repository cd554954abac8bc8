#pragma once

#include <optional>
#include <string>

#include "agent/upstream.hpp"
#include "base/secret.hpp"
#include "wire/oci/digest.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::agent {

/// Somebody asks for a blob.
struct BlobAsk {
  UpstreamPtr upstream;
  oci::RepoName repository;
  oci::Digest digest;
  std::optional<Secret> authorization;  ///< the client's own Authorization value
  bool own_credential = false;          ///< the client has none and the node's own decides (mirror)
  std::string request_id;
  std::string remote_ip;
};

/// The Authorization value that the registry and the tracker get to see for this request: the
/// client's, or a token for the node's own credential. Errors: those of authorize_pull().
net::Task<Result<std::optional<Secret>>> credential_for(BlobAsk, Deadline);

}  // namespace convoy::agent
