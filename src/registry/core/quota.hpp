#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "registry/core/projects.hpp"
#include "storage/meta/registry_upkeep.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::registry {

class QuotaService;

/// Bytes set aside in a project until they are stored and counted there, or not. Given back when it
/// goes. It must not outlive the service. One thread at a time.
class QuotaHold {
 public:
  QuotaHold() = default;
  QuotaHold(QuotaHold&&) noexcept;
  QuotaHold& operator=(QuotaHold&&) noexcept;
  ~QuotaHold() { release(); }

  /// Sets aside at least `bytes` in all, and up to `ahead` more when there is room. Error as of
  /// reserve().
  Status grow(std::uint64_t bytes, std::uint64_t ahead = 0);
  /// Gives back what is over `bytes`.
  void shrink(std::uint64_t bytes);
  /// Call after the metadata count the bytes, so that at no moment they count nowhere.
  void release();
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class QuotaService;
  QuotaService* service_ = nullptr;  // null: no limit holds
  std::string prefix_;
  std::uint64_t limit_ = 0;
  std::uint64_t bytes_ = 0;
};

/// Quotas by reserving and settling: what a project's repositories hold, as the metadata count it,
/// and what is set aside together never pass its limit. Safe from any thread; calls may read the
/// metadata: make them on workers.
class QuotaService {
 public:
  QuotaService(storage::RegistryUpkeep& upkeep, const ProjectBook& projects)
      : upkeep_(upkeep), projects_(projects) {}

  /// Error "quota_exceeded" (denied), which names the project and its limit.
  Result<QuotaHold> reserve(const oci::RepoName&, std::uint64_t bytes);
  /// Whether the repository's project has a quota at all. Cheap.
  bool limited(const oci::RepoName&) const;
  /// Set aside now, for tests and metrics.
  std::uint64_t reserved(const std::string& prefix) const;

 private:
  friend class QuotaHold;
  struct Account {
    std::mutex mutex;  // held while the metadata are read, by project
    std::uint64_t reserved = 0;
  };
  Account& account(const std::string& prefix);
  Status add(const std::string& prefix, std::uint64_t limit, std::uint64_t bytes);
  void subtract(const std::string& prefix, std::uint64_t bytes);

  storage::RegistryUpkeep& upkeep_;
  const ProjectBook& projects_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Account>> accounts_;
};

}  // namespace convoy::registry
