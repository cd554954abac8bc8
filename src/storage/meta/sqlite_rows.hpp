#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "storage/meta/sqlite_database.hpp"
#include "wire/oci/reference.hpp"

// Each statement may fail; the early return as a macro keeps the SQL readable.
#define CONVOY_TRY(name, expression)         \
  auto name = (expression);                  \
  if (!name) return std::move(name).error(); \
  static_assert(true)

// What the registry's metadata and its upkeep do to rows alike.
namespace convoy::storage {

inline constexpr std::int64_t kNoRepository = -1;

inline std::int64_t seconds_of(UnixTime t) { return t.time_since_epoch().count(); }
inline UnixTime unix_time(std::int64_t seconds) { return UnixTime(std::chrono::seconds(seconds)); }

std::string folded(std::string_view);
/// The id of a repository, kNoRepository when there is none.
Result<std::int64_t> find_repository(Database&, const oci::RepoName&);
/// Its id, made when it is not there.
Result<std::int64_t> make_repository(Database&, const oci::RepoName&);
/// The size of a blob that the repository holds and that is not quarantined.
Result<std::optional<std::int64_t>> find_blob(Database&, std::int64_t repository,
                                              std::string_view digest);
/// What a tag names, "" when it is not there.
Result<std::string> tagged(Database&, std::int64_t repository, std::string_view tag);
/// The first column of the only row, or nothing.
Result<std::optional<std::int64_t>> number_of(Query&);
Result<std::vector<std::string>> first_column(Query&);
Status delete_rows(Database&, const char* sql, std::int64_t repository, std::string_view text);

/// Until when what a removed manifest held counts as of use.
struct FreedSeen {
  UnixTime blobs{};
  UnixTime manifests{};  ///< children and referrers
};
/// Removes a manifest with its tags, referrer rows and references. False when it is not there.
Result<bool> remove_manifest(Database&, std::int64_t repository, std::string_view digest,
                             FreedSeen freed);
/// A manifest that lost a tag counts as of use now.
Status touch_manifest(Database&, std::int64_t repository, std::string_view digest, UnixTime seen);

}  // namespace convoy::storage
