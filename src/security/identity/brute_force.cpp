#include "security/identity/brute_force.hpp"

#include <algorithm>

#include "base/address_key.hpp"

namespace convoy::security {
namespace {

constexpr std::size_t kMaxKeyLength = 128;
constexpr std::uint32_t kMaxDoublings = 30;

std::string ip_key(std::string_view ip) { return address_key(ip.substr(0, kMaxKeyLength)); }
std::string user_key(std::string_view user) { return std::string(user.substr(0, kMaxKeyLength)); }

}  // namespace

BruteForceGuard::BruteForceGuard(BruteForceLimits limits) : limits_(limits) {}

void BruteForceGuard::forget_old(Table& table, SteadyTime now) {
  while (!table.order.empty()) {
    const auto it = table.entries.find(table.order.front());
    const bool old = now - it->second.last >= limits_.forget_after;
    if (!old && table.entries.size() <= limits_.max_entries) return;
    table.entries.erase(it);
    table.order.pop_front();
  }
}

std::optional<Duration> BruteForceGuard::wait_in(Table& table, const std::string& key,
                                                 SteadyTime now) {
  forget_old(table, now);
  const auto it = table.entries.find(key);
  if (it == table.entries.end() || now >= it->second.blocked_until) return std::nullopt;
  return it->second.blocked_until - now;
}

std::optional<Duration> BruteForceGuard::wait_for(std::string_view user, std::string_view ip,
                                                  SteadyTime now) {
  const auto by_user = wait_in(users_, user_key(user), now);
  const auto by_ip = wait_in(ips_, ip_key(ip), now);
  return by_user && by_ip ? std::max(by_user, by_ip) : by_user ? by_user : by_ip;
}

bool BruteForceGuard::count(Table& table, const std::string& key, Duration max_wait,
                            SteadyTime now) {
  forget_old(table, now);
  auto [it, fresh] = table.entries.try_emplace(key);
  Entry& entry = it->second;
  if (fresh) {
    entry.age = table.order.insert(table.order.end(), key);
  } else {
    table.order.splice(table.order.end(), table.order, entry.age);
  }
  entry.last = now;
  if (entry.failures < limits_.free_failures + kMaxDoublings) ++entry.failures;
  if (entry.failures >= limits_.free_failures) {
    const std::uint32_t doublings = entry.failures - limits_.free_failures;
    Duration wait = limits_.first_wait;
    for (std::uint32_t i = 0; i < doublings && wait < max_wait; ++i) wait *= 2;
    entry.blocked_until = now + std::min(wait, max_wait);
  }
  const bool completes = entry.failures == limits_.free_failures;
  forget_old(table, now);
  return completes;
}

bool BruteForceGuard::failed(std::string_view user, std::string_view ip, SteadyTime now) {
  const bool by_user = !user.empty() && count(users_, user_key(user), limits_.max_user_wait, now);
  const bool by_ip = count(ips_, ip_key(ip), limits_.max_ip_wait, now);
  return by_user || by_ip;
}

void BruteForceGuard::succeeded(std::string_view user) {
  const auto it = users_.entries.find(user_key(user));
  if (it == users_.entries.end()) return;
  users_.order.erase(it->second.age);
  users_.entries.erase(it);
}

}  // namespace convoy::security
