#include "fuzz/fuzz.hpp"
#include "wire/bt/announce.hpp"

using namespace convoy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto target = http::parse_target(fuzz::text(data, size))) {
    if (const auto r = bt::parse_announce(*target)) {
      const auto back = http::parse_target("/announce?" + bt::to_query(*r));
      fuzz::check(back.ok());
      const auto again = bt::parse_announce(*back);
      fuzz::check(again && again->info_hash == r->info_hash && again->left == r->left &&
                  again->numwant == r->numwant && r->numwant <= 200 && r->port != 0);
    }
    if (const auto hashes = bt::parse_scrape(*target)) {
      fuzz::check(!hashes->empty() && hashes->size() <= 64);
    }
  }
  if (const auto reply = bt::decode_announce_reply({data, size})) {
    const auto again = bt::decode_announce_reply(bt::encode(*reply));
    fuzz::check(again && again->peers == reply->peers && again->interval == reply->interval);
  }
  return 0;
}
