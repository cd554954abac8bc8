#include "registry/core/retention.hpp"

#include <algorithm>
#include <map>

#include "security/identity/users.hpp"

namespace convoy::registry {
namespace {

bool matches_one(const std::vector<std::string>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return security::matches_glob(pattern, text);
  });
}

std::string age_text(Duration age) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(age).count();
  if (hours >= 48) return std::to_string(hours / 24) + " days";
  if (hours >= 1) return std::to_string(hours) + " h";
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) + " s";
}

/// Places by the time of the push, 1 for the newest. Of two pushed in one second the later name
/// counts as newer, so that each run says the same.
std::map<std::string, std::size_t> places(const std::vector<storage::TagRow>& tags,
                                          const RetentionRule& rule) {
  std::vector<const storage::TagRow*> matched;
  for (const auto& tag : tags) {
    if (!attached_to(tag.name) && matches_one(rule.tags, tag.name)) matched.push_back(&tag);
  }
  std::sort(matched.begin(), matched.end(), [](const auto* a, const auto* b) {
    return a->pushed != b->pushed ? a->pushed > b->pushed : a->name > b->name;
  });
  std::map<std::string, std::size_t> out;
  for (std::size_t i = 0; i < matched.size(); ++i) out.emplace(matched[i]->name, i + 1);
  return out;
}

/// Why the rule keeps the tag; "" when it does not.
std::string kept_by(const RetentionRule& rule, const storage::TagRow& tag, std::size_t place,
                    UnixTime now) {
  if (rule.keep_newest > 0 && place <= rule.keep_newest) {
    return "number " + std::to_string(place) + " of the " + std::to_string(rule.keep_newest) +
           " newest";
  }
  if (rule.keep_pushed && now - tag.pushed <= *rule.keep_pushed) {
    return "pushed " + age_text(now - tag.pushed) + " ago, within " + age_text(*rule.keep_pushed);
  }
  const bool pulled = tag.pulled != UnixTime{};
  if (rule.keep_pulled && pulled && now - tag.pulled <= *rule.keep_pulled) {
    return "pulled " + age_text(now - tag.pulled) + " ago, within " + age_text(*rule.keep_pulled);
  }
  return {};
}

std::string dropped_reason(const storage::TagRow& tag, std::size_t place, UnixTime now) {
  const bool pulled = tag.pulled != UnixTime{};
  return "number " + std::to_string(place) + " by age, pushed " + age_text(now - tag.pushed) +
         " ago, " + (pulled ? "pulled " + age_text(now - tag.pulled) + " ago" : "never pulled") +
         ": no rule keeps it";
}

}  // namespace

std::optional<oci::Digest> attached_to(std::string_view tag) {
  for (const std::string_view algorithm : {"sha256", "sha512"}) {
    const std::size_t digits = algorithm == "sha256" ? 64 : 128;
    if (!tag.starts_with(algorithm) || tag.size() < algorithm.size() + 1 + digits) continue;
    if (tag[algorithm.size()] != '-') continue;
    std::string text(algorithm);
    text += ':';
    text += tag.substr(algorithm.size() + 1, digits);
    const std::string_view rest = tag.substr(algorithm.size() + 1 + digits);
    if (!rest.empty() && rest.front() != '.' && rest.front() != '-') continue;
    if (auto digest = oci::Digest::parse(text)) return *digest;
  }
  return std::nullopt;
}

Result<std::vector<TagDecision>> decide_retention(const std::vector<RetentionRule>& rules,
                                                  const RetentionView& view,
                                                  const std::vector<storage::TagRow>& tags) {
  struct Active {
    std::size_t number;
    const RetentionRule* rule;
    std::map<std::string, std::size_t> places;
  };
  std::vector<Active> active;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!matches_one(rules[i].repositories, view.repository)) continue;
    active.push_back({i + 1, &rules[i], places(tags, rules[i])});
  }
  const auto decide = [&](const storage::TagRow& tag) -> Result<TagDecision> {
    const auto keep = [&](std::string why) { return TagDecision{tag.name, true, std::move(why)}; };
    if (view.immutable && view.immutable(tag.name)) return keep("the tag is immutable");
    if (const auto subject = attached_to(tag.name)) {
      const Result<bool> there = view.has_manifest ? view.has_manifest(*subject) : true;
      if (!there) return there.error();
      if (*there) return keep("belongs to a manifest that is here");
      if (active.empty()) return keep("no rule speaks of it");
      return TagDecision{tag.name, false, "belongs to a manifest that is gone"};
    }
    std::string dropped;
    for (const auto& [number, rule, order] : active) {
      const auto place = order.find(tag.name);
      if (place == order.end()) continue;
      std::string why = kept_by(*rule, tag, place->second, view.now);
      if (!why.empty()) return keep("rule " + std::to_string(number) + ": " + why);
      if (dropped.empty()) dropped = dropped_reason(tag, place->second, view.now);
    }
    if (dropped.empty()) return keep("no rule speaks of it");
    return TagDecision{tag.name, false, std::move(dropped)};
  };
  std::vector<TagDecision> out;
  out.reserve(tags.size());
  for (const auto& tag : tags) {
    auto decision = decide(tag);
    if (!decision) return std::move(decision).error();
    out.push_back(*std::move(decision));
  }
  return out;
}

}  // namespace convoy::registry
