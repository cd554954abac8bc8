#include "agent/fetch/ask.hpp"

namespace convoy::agent {

net::Task<Result<std::optional<Secret>>> credential_for(BlobAsk ask, Deadline deadline) {
  if (!ask.own_credential) co_return std::move(ask.authorization);
  auto credential = ask.upstream->credential;
  co_return co_await ask.upstream->client->authorize_pull(ask.repository, std::move(credential),
                                                          ask.request_id, deadline);
}

}  // namespace convoy::agent
