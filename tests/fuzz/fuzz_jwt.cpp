#include "fuzz/fuzz.hpp"
#include "wire/auth/jwt.hpp"

using namespace convoy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text(data, size);
  const auto jwt = auth::parse_jwt(text);
  if (!jwt) return 0;
  fuzz::check(auth::jwt_compact(jwt->signing_input, jwt->signature) == text);
  (void)auth::check_times(jwt->claims, UnixTime(std::chrono::seconds(1'700'000'000)),
                          std::chrono::seconds(60))
      .ok();
  (void)auth::audience_has(jwt->claims, "swarm");
  return 0;
}
