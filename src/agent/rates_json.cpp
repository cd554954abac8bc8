#include "agent/rates_json.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "wire/json.hpp"

namespace convoy::agent {
namespace {

struct Member {
  std::string_view name;
  std::uint64_t AgentRates::* value;
};

constexpr std::array kMembers = {
    Member{"upload", &AgentRates::upload},
    Member{"upload_per_peer", &AgentRates::upload_per_peer},
    Member{"upload_background", &AgentRates::upload_background},
    Member{"download", &AgentRates::download},
    Member{"origin", &AgentRates::origin},
};

}  // namespace

std::string to_json(const AgentRates& rates) {
  boost::json::object out;
  for (const Member& m : kMembers) out[m.name] = rates.*m.value;
  return boost::json::serialize(out);
}

Result<AgentRates> changed(AgentRates rates, std::string_view order) {
  auto object = wire::parse_json_object(order, {.max_bytes = 4096, .max_depth = 4});
  if (!object) return std::move(object).error();
  for (const auto& [key, value] : *object) {
    const auto* member = std::find_if(kMembers.begin(), kMembers.end(),
                                      [&](const Member& m) { return m.name == key; });
    const auto number = wire::json_int(*object, key);
    if (member == kMembers.end() || !number || *number < 0) {
      return invalid("order_invalid", std::string(key));
    }
    rates.*member->value = static_cast<std::uint64_t>(*number);
  }
  return rates;
}

}  // namespace convoy::agent
