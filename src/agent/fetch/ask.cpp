#include "agent/fetch/ask.hpp"

namespace convoy::agent {

net::Task<Result<std::optional<Secret>>> credential_for(BlobAsk ask, Deadline deadline) {
  if (!ask.own_credential) co_return std::move(ask.authorization);
  auto credential = ask.upstream->credential;
  co_return co_await ask.upstream->client->authorize_pull(ask.repository, std::move(credential),
                                                          ask.request_id, deadline);
}

net::Task<Result<std::optional<Secret>>> other_credential_for(BlobAsk ask,
                                                              std::optional<Secret> refused,
                                                              Deadline deadline) {
  if (!ask.own_credential) co_return unauthorized("registry_unauthorized");
  auto credential = ask.upstream->credential;
  co_return co_await ask.upstream->client->reauthorize_pull(
      ask.repository, std::move(credential), std::move(refused), ask.request_id, deadline);
}

bool refuses_credential(const Error& error) {
  return error.kind() == ErrorClass::unauthorized || error.kind() == ErrorClass::denied;
}

}  // namespace convoy::agent
