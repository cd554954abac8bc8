#include "registry/core/quota.hpp"

#include <algorithm>
#include <utility>

namespace convoy::registry {

QuotaHold::QuotaHold(QuotaHold&& other) noexcept
    : service_(std::exchange(other.service_, nullptr)),
      prefix_(std::move(other.prefix_)),
      limit_(other.limit_),
      bytes_(std::exchange(other.bytes_, 0)) {}

QuotaHold& QuotaHold::operator=(QuotaHold&& other) noexcept {
  if (this == &other) return *this;
  release();
  service_ = std::exchange(other.service_, nullptr);
  prefix_ = std::move(other.prefix_);
  limit_ = other.limit_;
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

Status QuotaHold::grow(std::uint64_t bytes, std::uint64_t ahead) {
  if (service_ == nullptr || bytes <= bytes_) return {};
  std::uint64_t more = bytes - bytes_ + ahead;
  auto done = service_->add(prefix_, limit_, more);
  if (!done && ahead > 0 && done.error().code() == "quota_exceeded") {
    more = bytes - bytes_;
    done = service_->add(prefix_, limit_, more);
  }
  if (done) bytes_ += more;
  return done;
}

void QuotaHold::shrink(std::uint64_t bytes) {
  if (service_ == nullptr || bytes >= bytes_) return;
  service_->subtract(prefix_, bytes_ - bytes);
  bytes_ = bytes;
}

void QuotaHold::release() {
  shrink(0);
  bytes_ = 0;
}

Result<QuotaHold> QuotaService::reserve(const oci::RepoName& repository, std::uint64_t bytes) {
  QuotaHold hold;
  auto found = projects_.find(repository.str());
  if (found.project == nullptr || found.project->quota_bytes == 0) return hold;
  hold.service_ = this;
  hold.prefix_ = std::move(found.prefix);
  hold.limit_ = found.project->quota_bytes;
  if (auto done = hold.grow(bytes); !done) return std::move(done).error();
  return hold;
}

bool QuotaService::limited(const oci::RepoName& repository) const {
  const auto found = projects_.find(repository.str());
  return found.project != nullptr && found.project->quota_bytes > 0;
}

std::uint64_t QuotaService::reserved(const std::string& prefix) const {
  const std::lock_guard lock(mutex_);
  const auto it = accounts_.find(prefix);
  if (it == accounts_.end()) return 0;
  const std::lock_guard inner(it->second->mutex);
  return it->second->reserved;
}

QuotaService::Account& QuotaService::account(const std::string& prefix) {
  const std::lock_guard lock(mutex_);
  auto& slot = accounts_[prefix];
  if (!slot) slot = std::make_unique<Account>();
  return *slot;
}

Status QuotaService::add(const std::string& prefix, std::uint64_t limit, std::uint64_t bytes) {
  Account& account = this->account(prefix);
  const std::lock_guard lock(account.mutex);
  auto used = upkeep_.bytes_below(prefix, projects_.inner(prefix));
  if (!used) return std::move(used).error();
  const std::uint64_t taken = *used + account.reserved;
  if (taken > limit || bytes > limit - taken) {
    return denied("quota_exceeded", "project " + prefix + " may hold " + std::to_string(limit) +
                                        " bytes; " + std::to_string(taken) +
                                        " are taken or being pushed");
  }
  account.reserved += bytes;
  return {};
}

void QuotaService::subtract(const std::string& prefix, std::uint64_t bytes) {
  Account& account = this->account(prefix);
  const std::lock_guard lock(account.mutex);
  account.reserved -= std::min(bytes, account.reserved);
}

}  // namespace convoy::registry
