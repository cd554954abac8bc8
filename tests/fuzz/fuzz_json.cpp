#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "fuzz/fuzz.hpp"
#include "wire/json.hpp"

using namespace convoy;

// What is accepted once must be accepted again in the form it is written in: no infinity, no
// duplicate key, nothing too deep gets through.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = wire::parse_json(fuzz::text(data, size));
  if (!value) return 0;
  const auto written = boost::json::serialize(*value);
  const auto again = wire::parse_json(written);
  fuzz::check(again.ok() && again->kind() == value->kind());
  return 0;
}
