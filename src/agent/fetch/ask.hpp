#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

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

/// The same after `refused` was refused. Error "registry_unauthorized" when there is no other, as
/// with a client's own.
net::Task<Result<std::optional<Secret>>> other_credential_for(BlobAsk,
                                                              std::optional<Secret> refused,
                                                              Deadline);

/// Whether the error is about the credential that was shown.
bool refuses_credential(const Error&);

/// Puts a question, which is a function from an Authorization value to a Task<Result<…>>, with the
/// credential of this request; a second time, with another one, where the first is refused.
template <class Question>
std::invoke_result_t<Question&, std::optional<Secret>> ask_with_credential(BlobAsk ask,
                                                                           Deadline deadline,
                                                                           Question question) {
  auto credential = co_await credential_for(ask, deadline);
  if (!credential) co_return std::move(credential).error();
  auto asking = question(*credential);
  auto answer = co_await std::move(asking);
  if (answer || !refuses_credential(answer.error())) co_return std::move(answer);
  auto other = co_await other_credential_for(ask, std::move(*credential), deadline);
  if (!other) co_return std::move(answer);
  auto again = question(std::move(*other));
  co_return co_await std::move(again);
}

}  // namespace convoy::agent
