#include "registry/api/mount.hpp"

#include "security/identity/users.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxSources = 64;  // looked at for one mount

bool everyone_reads(const security::UserDirectory& users, const oci::RepoName& repository) {
  const auto granted = users.granted(std::nullopt, {{"repository", repository.str(), {"pull"}}});
  return auth::allows(granted, "repository", repository.str(), "pull");
}

/// False when `from` does not hold it.
Result<bool> link_from(Context& api, const Call& call, const oci::Digest& digest,
                       const oci::RepoName& from) {
  auto size = api.uploads.mount(from, call.repository(), digest);
  if (size) return true;
  if (size.error().kind() == ErrorClass::not_found) return false;
  return std::move(size).error();
}

Result<bool> link_from_any(Context& api, const Call& call, const oci::Digest& digest,
                           const security::UserDirectory& users) {
  // At most 64 (auth::parse_scope), so that this is a few look-ups.
  for (const auto& access : call.caller.access) {
    auto name = oci::RepoName::parse(access.name);
    if (!name || !call.caller.may(access.name, "pull")) continue;
    auto done = link_from(api, call, digest, *name);
    if (!done || *done) return done;
  }
  auto holders = api.meta.repositories_with(digest, kMaxSources);
  if (!holders) return std::move(holders).error();
  for (const auto& name : *holders) {
    if (!everyone_reads(users, name)) continue;
    auto done = link_from(api, call, digest, name);
    if (!done || *done) return done;
  }
  return false;
}

}  // namespace

net::Task<Result<bool>> try_mount(Context& api, Call& call, oci::Digest digest,
                                  std::optional<std::string> from) {
  const auto users = api.tokens.users();
  if (!from) {
    auto job = [&] { return link_from_any(api, call, digest, *users); };
    co_return co_await api.pool.run(std::move(job));
  }
  auto source = oci::RepoName::parse(*from);
  if (!source) co_return false;
  if (!call.caller.may(source->str(), "pull") && !everyone_reads(*users, *source)) co_return false;
  auto job = [&] { return link_from(api, call, digest, *source); };
  co_return co_await api.pool.run(std::move(job));
}

}  // namespace convoy::registry
