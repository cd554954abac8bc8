#include "fuzz/fuzz.hpp"
#include "wire/auth/challenge.hpp"
#include "wire/auth/scope.hpp"

using namespace convoy;

namespace {

void check_challenges(std::string_view text) {
  const auto list = auth::parse_challenges(text);
  if (!list) return;
  fuzz::check(!list->empty());
  for (const auto& challenge : *list) {
    if (challenge.params.contains("")) continue;  // a token68 is read, never written
    const auto written = auth::to_header(challenge);
    fuzz::check(written.find_first_of("\r\n") == std::string::npos);
    if (written.size() > 16 * 1024) continue;
    const auto again = auth::parse_challenges(written);
    fuzz::check(again && again->size() == 1 && again->at(0).scheme == challenge.scheme &&
                again->at(0).params == challenge.params);
  }
}

void check_credential(std::string_view text) {
  const auto credential = auth::parse_authorization(text);
  if (!credential) return;
  if (const auto* basic = std::get_if<auth::BasicCredential>(&*credential)) {
    const auto again = auth::parse_authorization(auth::basic_header(basic->user, basic->password));
    fuzz::check(again && std::get<auth::BasicCredential>(*again).user == basic->user);
  } else {
    fuzz::check(!std::get<auth::BearerCredential>(*credential).token.empty());
  }
}

void check_scope(std::string_view text) {
  const auto list = auth::parse_scope(text);
  if (!list) return;
  for (const auto& access : *list) {
    fuzz::check(!access.name.empty() && !access.actions.empty());
    const auto again = auth::parse_scope(access.str());
    fuzz::check(again && again->size() == 1 && again->at(0) == access);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text(data, size);
  check_challenges(text);
  check_credential(text);
  check_scope(text);
  return 0;
}
