#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/http_client.hpp"
#include "wire/http/range.hpp"
#include "wire/oci/digest.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::clients {

/// A user name and password for a registry.
struct RegistryCredential {
  std::string user;
  Secret password;
};

struct BlobInfo {
  std::uint64_t size = 0;
  std::string content_type;
};

/// A distribution API server as agents and trackers use it, with the token dance of Docker's
/// token authentication (challenge, realm, Bearer) inside. Credentials go only to a realm on a host
/// that the options allow: by default the registry's own (CVE-2026-33540). One thread.
class RegistryClient {
 public:
  virtual ~RegistryClient() = default;

  /// Asks with exactly this Authorization value (none: anonymous); no token is fetched. 401 comes
  /// back as unauthorized "registry_unauthorized", 403 as denied, 404 as not_found "blob_unknown".
  virtual net::Task<Result<BlobInfo>> head_blob(oci::RepoName, oci::Digest,
                                                std::optional<Secret> authorization,
                                                std::string request_id, Deadline) = 0;

  /// An Authorization value for pulling from the repository with `credential` (none: anonymous), as
  /// the registry's challenge asks for; nothing when it asks for none. Cached until shortly before
  /// it expires.
  virtual net::Task<Result<std::optional<Secret>>> authorize_pull(
      oci::RepoName, std::optional<RegistryCredential> credential, std::string request_id,
      Deadline) = 0;

  /// The same after `refused`, which it gave, was refused: another value. Error
  /// "registry_unauthorized" when there is none, or the one that was refused is less than 5 s old.
  virtual net::Task<Result<std::optional<Secret>>> reauthorize_pull(
      oci::RepoName, std::optional<RegistryCredential> credential, std::optional<Secret> refused,
      std::string request_id, Deadline) = 0;

  /// Keeps a connection open, and known for a minute what the registry demands, so that
  /// authorize_pull() need not ask. Trouble is left for others to find.
  virtual net::Task<void> hello(std::string request_id, Deadline) = 0;

  /// GET of a blob from `offset` to the end, following at most 3 redirects (credentials are dropped
  /// on another host). The answer is 200, or 206 from exactly `offset`.
  virtual net::Task<Result<std::unique_ptr<net::HttpResponse>>> get_blob(
      oci::RepoName, oci::Digest, std::uint64_t offset, std::optional<Secret> authorization,
      std::string request_id, Deadline) = 0;

  /// A request passed on as it is (manifests, tags, pushes through the proxy): method, target under
  /// /v2/, headers (hop-by-hop ones removed by the caller), body.
  virtual net::Task<Result<std::unique_ptr<net::HttpResponse>>> forward(net::HttpRequest,
                                                                        Deadline) = 0;
};

/// `base`: "https://host:port". `token_hosts`: further hosts that a realm may name.
std::unique_ptr<RegistryClient> make_registry_client(std::shared_ptr<net::HttpClient>,
                                                     http::Url base,
                                                     std::vector<std::string> token_hosts,
                                                     const Clock&);

/// The internal API for trackers (docs/protocols/registry-internal.md).
class RegistryMetadataClient {
 public:
  virtual ~RegistryMetadataClient() = default;
  /// The signed metadata statement when the repository holds the blob; "blob_unknown" otherwise;
  /// "registry_unavailable" when it cannot be asked.
  virtual net::Task<Result<std::string>> metadata(oci::RepoName, oci::Digest,
                                                  std::string request_id, Deadline) = 0;
};
std::unique_ptr<RegistryMetadataClient> make_registry_metadata_client(
    std::shared_ptr<net::HttpClient>, http::Url base);

}  // namespace convoy::clients
