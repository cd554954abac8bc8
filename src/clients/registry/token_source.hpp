#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "clients/registry/registry_client.hpp"
#include "net/http_client.hpp"
#include "net/turn.hpp"
#include "wire/auth/challenge.hpp"

namespace convoy::clients {

/// Whether a realm may be given credentials for the registry at `base`: the registry's own host
/// and port, or one of `token_hosts` ("host" for the scheme's usual port, or "host:port"); never
/// without TLS when the registry has it. Errors (denied) "token_realm_refused".
Result<http::Url> allowed_realm(std::string_view realm, const http::Url& base,
                                const std::vector<std::string>& token_hosts);

/// The token dance of Docker's token authentication: challenge, realm, Bearer. Keeps what it got
/// until shortly before it expires, at most 1024 entries; who needs the same token meanwhile waits
/// for it. One thread.
class TokenSource {
 public:
  TokenSource(std::shared_ptr<net::HttpClient>, http::Url base,
              std::vector<std::string> token_hosts, const Clock&);

  /// As RegistryClient::authorize_pull.
  net::Task<Result<std::optional<Secret>>> pull(oci::RepoName,
                                                std::optional<RegistryCredential> credential,
                                                std::string request_id, Deadline);
  /// As RegistryClient::reauthorize_pull.
  net::Task<Result<std::optional<Secret>>> pull_again(oci::RepoName,
                                                      std::optional<RegistryCredential> credential,
                                                      std::optional<Secret> refused,
                                                      std::string request_id, Deadline);
  /// As RegistryClient::hello.
  net::Task<void> hello(std::string request_id, Deadline);

 private:
  struct Kept {
    std::optional<Secret> authorization;
    SteadyTime since;
    SteadyTime until;
  };
  struct Token {
    Secret text;
    std::chrono::seconds life{60};
  };
  using Challenges = std::vector<auth::Challenge>;

  net::Task<Result<std::optional<Secret>>> ask(std::string key, oci::RepoName,
                                               std::optional<RegistryCredential>,
                                               std::string request_id, Deadline);
  net::Task<Result<Challenges>> challenge(std::string request_id, Deadline);
  net::Task<Result<Token>> fetch(http::Url realm, std::optional<RegistryCredential>,
                                 std::string request_id, Deadline);
  void keep(const std::string& key, std::optional<Secret> authorization, std::chrono::seconds life);

  std::shared_ptr<net::HttpClient> http_;
  http::Url base_;
  std::vector<std::string> token_hosts_;
  const Clock& clock_;
  std::map<std::string, Kept> kept_;
  net::Turns asking_;  ///< by keys of `kept_`
  Challenges heard_;   ///< the last challenge; empty: none, or not to be trusted any more
  SteadyTime heard_until_{};
};

}  // namespace convoy::clients
