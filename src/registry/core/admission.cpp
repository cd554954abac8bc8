#include "registry/core/admission.hpp"

#include "base/address_key.hpp"

namespace convoy::registry {
namespace {

constexpr Duration kPull = std::chrono::seconds(60);
constexpr Duration kPush = std::chrono::minutes(5);

Status too_many(const std::optional<Duration>& wait) {
  if (!wait) return {};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait);
  return exhausted("rate_limited", std::to_string(seconds.count()));
}

}  // namespace

std::string client_key(std::string_view subject, std::string_view ip) {
  return std::string(subject) + '\0' + address_key(ip);
}

Admission::Admission(Limits limits, const Clock& clock, Random& random)
    : clock_(clock),
      random_(random),
      by_address_(limits.by_address, random),
      by_user_(limits.by_user, random),
      by_client_(limits.share, random),
      judge_(limits.load),
      under_way_(random) {}

Status Admission::take_address(std::string_view ip) {
  return too_many(by_address_.take(address_key(ip), clock_.steady()));
}

Status Admission::take_user(std::string_view subject) {
  if (subject.empty()) return {};
  return too_many(by_user_.take(subject, clock_.steady()));
}

Status Admission::take_load(RequestKind kind, const std::string& client) {
  const LoadLevel now = level();
  if (now == LoadLevel::normal) return {};
  if (by_client_.take(client, clock_.steady())) return come_back_later();
  const LoadLevel bears = kind == RequestKind::pull ? LoadLevel::busy : LoadLevel::normal;
  if (kind == RequestKind::always || now <= bears) return {};
  const bool listing = kind == RequestKind::listing;
  if (!listing && under_way_.find(client).instant() > clock_.steady()) return {};
  return come_back_later();
}

Status Admission::come_back_later() {
  const std::uint64_t least = level() == LoadLevel::busy ? 2 : 5;
  return unavailable("overloaded", std::to_string(least + random_.below(4 * least)));
}

void Admission::note_push(const std::string& client) {
  under_way_.find(client).put(clock_.steady() + kPush);
}

void Admission::note_pull(const std::string& client) {
  if (level() == LoadLevel::overloaded) return;
  under_way_.find(client).put(clock_.steady() + kPull);
}

}  // namespace convoy::registry
