#pragma once

#include "registry/api/context.hpp"

namespace convoy::registry {

/// The registry's HTTP face: route, authorise, call the handler, answer errors, count and audit.
class DistributionApi {
 public:
  explicit DistributionApi(Context context) : api_(std::move(context)) {}
  net::Task<void> handle(net::HttpExchange&);

 private:
  net::Task<Status> dispatch(Call&);
  net::Task<Status> authorise_and_run(Call&);
  net::Task<Status> refuse(Call&, Error, std::vector<auth::Access> needs);
  void note_progress(const Call&, const std::string& client);
  void audit(const Call&, security::AuditOutcome, std::string reason);
  void account(const Call&, SteadyTime began);

  Context api_;
};

/// What a token must allow for this request; a mount's source is checked by its handler.
std::vector<auth::Access> needed_access(const Route&, std::string_view method);

}  // namespace convoy::registry
