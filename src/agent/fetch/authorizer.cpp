#include "agent/fetch/authorizer.hpp"

namespace convoy::agent {

bool is_refusal(const Error& error) {
  return error.kind() == ErrorClass::unauthorized || error.kind() == ErrorClass::denied ||
         error.kind() == ErrorClass::not_found;
}

net::Task<Result<Permit>> Authorizer::permit(BlobAsk ask, std::optional<Secret> authorization,
                                             Deadline deadline) {
  const Hash256 key = permit_key(ask, authorization);
  if (auto known = granted_.find(key, clock_.steady())) co_return std::move(*known);
  auto decided = co_await decide(std::move(ask), std::move(authorization), deadline);
  if (decided) {
    granted_.put(key, *decided, clock_.steady());
  } else {
    granted_.forget(key);
  }
  co_return decided;
}

net::Task<Result<Permit>> Authorizer::decide(BlobAsk ask, std::optional<Secret> authorization,
                                             Deadline deadline) {
  const Deadline soon = deadline.sooner(Deadline::in(clock_, tracker_patience_));
  auto pass = co_await desk_.ask(ask, authorization, soon);
  if (pass) {
    Permit permit;
    permit.size = pass->meta.size;
    permit.pass = std::move(*pass);
    co_return permit;
  }
  const bool refused = classify_ticket_error(pass.error()) == TicketFailure::refused;
  if (refused && pass.error().kind() == ErrorClass::denied) co_return std::move(pass).error();
  auto permit = co_await by_registry(std::move(ask), std::move(authorization), deadline);
  if (!refused) co_return permit;
  if (!permit && is_refusal(permit.error())) co_return std::move(permit).error();
  if (!permit) co_return std::move(pass).error();
  permit->cache_allowed = false;
  co_return permit;
}

net::Task<Result<Permit>> Authorizer::by_registry(BlobAsk ask, std::optional<Secret> authorization,
                                                  Deadline deadline) {
  auto info = co_await ask.upstream->client->head_blob(
      ask.repository, ask.digest, std::move(authorization), ask.request_id, deadline);
  if (!info) co_return std::move(info).error();
  Permit permit;
  permit.size = info->size;
  co_return permit;
}

}  // namespace convoy::agent
