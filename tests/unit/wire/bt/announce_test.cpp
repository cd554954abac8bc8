#include "wire/bt/announce.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::bt {
namespace {

using namespace std::string_view_literals;
using test::code_of;

const std::string kHash20 = "%00" + std::string(19, 'h');
const std::string kPeer20(20, 'p');

std::string announce(std::string_view hash, std::string_view peer, std::string_view port,
                     std::string_view rest = "&uploaded=0&downloaded=0&left=0") {
  return "/announce?info_hash=" + std::string(hash) + "&peer_id=" + std::string(peer) +
         "&port=" + std::string(port) + std::string(rest);
}
Result<AnnounceRequest> parse(const std::string& target) {
  return parse_announce(*http::parse_target(target));
}

TEST(Announce, ComesBackAsItWas) {
  AnnounceRequest r;
  r.info_hash.fill(0xfe);
  r.peer_id.fill('&');
  r.port = 6881;
  r.uploaded = 1;
  r.downloaded = 2;
  r.left = UINT64_MAX;
  r.event = AnnounceEvent::completed;
  r.numwant = 7;
  const auto back = parse("/announce?" + to_query(r));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->info_hash, r.info_hash);
  EXPECT_EQ(back->peer_id, r.peer_id);
  EXPECT_EQ(back->port, 6881);
  EXPECT_EQ(back->left, UINT64_MAX);
  EXPECT_EQ(back->event, AnnounceEvent::completed);
  EXPECT_EQ(back->numwant, 7u);
  EXPECT_TRUE(back->compact);
}

TEST(Announce, CapsWhatIsWantedAndIgnoresAClaimedAddress) {
  const auto base = announce(kHash20, kPeer20, "1");
  EXPECT_EQ(parse(base)->numwant, 50u);
  EXPECT_EQ(parse(base + "&numwant=200")->numwant, 200u);
  EXPECT_EQ(parse(base + "&numwant=201")->numwant, 200u);
  EXPECT_EQ(parse(base + "&numwant=-1")->numwant, 50u);
  EXPECT_EQ(parse(base + "&numwant=0")->numwant, 0u);
  EXPECT_TRUE(parse(base + "&ip=6.6.6.6"));
  EXPECT_FALSE(parse(base + "&compact=0")->compact);
  EXPECT_EQ(parse(base + "&event=")->event, AnnounceEvent::none);
}

TEST(Announce, RefusesWhatIsMissingTwiceOrOutOfRange) {
  const std::string bad[] = {
      "/announce",
      announce(std::string(19, 'h'), kPeer20, "1"),
      announce(std::string(21, 'h'), kPeer20, "1"),
      announce(kHash20, std::string(21, 'p'), "1"),
      announce(kHash20, kPeer20, "0"),
      announce(kHash20, kPeer20, "65536"),
      announce(kHash20, kPeer20, "-1"),
      announce(kHash20, kPeer20, ""),
      announce(kHash20, kPeer20, "1x"),
      announce(kHash20, kPeer20, "1", ""),
      announce(kHash20, kPeer20, "1", "&uploaded=0&downloaded=0&left=-1"),
      announce(kHash20, kPeer20, "1", "&uploaded=0&downloaded=0&left=18446744073709551616"),
      announce(kHash20, kPeer20, "1") + "&left=5",
      announce(kHash20, kPeer20, "1") + "&info_hash=" + kHash20,
      announce(kHash20, kPeer20, "1") + "&event=evil",
      announce(kHash20, kPeer20, "1") + "&numwant=x",
  };
  for (const auto& target : bad) EXPECT_EQ(code_of(parse(target)), "announce_invalid") << target;
}

TEST(AnnounceReply, IsCompactForBothFamilies) {
  AnnounceReply reply;
  reply.interval = 30;
  reply.seeders = 1;
  reply.leechers = 2;
  reply.peers = {{"10.0.0.7", 6881}, {"2001:db8::1", 1}, {"no address", 2}};
  const auto bytes = encode(reply);
  EXPECT_EQ(as_text(bytes),
            "d8:completei1e10:incompletei2e8:intervali30e5:peers6:\x0a\x00\x00\x07\x1a\xe1"
            "6:peers618:\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01"
            "e"sv);
  const auto back = decode_announce_reply(bytes);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->interval, 30u);
  EXPECT_EQ(back->seeders, 1u);
  EXPECT_EQ(back->peers, (std::vector<PeerEndpoint>{{"10.0.0.7", 6881}, {"2001:db8::1", 1}}));
}

TEST(AnnounceReply, AFailureIsAnError) {
  const auto refused = decode_announce_reply(encode_failure("no ticket"));
  EXPECT_EQ(code_of(refused), "announce_refused");
  EXPECT_EQ(refused.error().detail(), "no ticket");
}

TEST(AnnounceReply, RefusesWhatDoesNotFit) {
  const std::string many = std::to_string(6 * 2001) + ":" + std::string(6 * 2001, 'a');
  const std::string bad[] = {"",
                             "le",
                             "de",
                             "d8:intervali0ee",
                             "d8:intervali86401ee",
                             "d8:interval1:1e",
                             "d8:completei-1e8:intervali1ee",
                             "d8:intervali1e5:peers5:aaaaae",
                             "d8:intervali1e5:peersi1ee",
                             "d8:intervali1e6:peers617:" + std::string(17, 'a') + "e",
                             "d8:intervali1e5:peers" + many + "e"};
  for (const auto& t : bad) {
    EXPECT_EQ(code_of(decode_announce_reply(as_bytes(t))), "announce_invalid") << t.substr(0, 60);
  }
  EXPECT_TRUE(decode_announce_reply(as_bytes("d8:intervali86400ee")));
}

TEST(Scrape, TakesOneToSixtyFourSwarms) {
  const auto parse_scrape_of = [](const std::string& target) {
    return parse_scrape(*http::parse_target(target));
  };
  std::string target = "/scrape?info_hash=" + kHash20;
  for (int i = 1; i < 64; ++i) target += "&info_hash=" + kHash20;
  EXPECT_EQ(parse_scrape_of(target)->size(), 64u);
  EXPECT_EQ(code_of(parse_scrape_of("/scrape")), "scrape_invalid");
  EXPECT_EQ(code_of(parse_scrape_of("/scrape?info_hash=short")), "scrape_invalid");
  http::Target built;
  for (int i = 0; i < 65; ++i) built.query.emplace_back("info_hash", std::string(20, 'h'));
  EXPECT_EQ(code_of(parse_scrape(built)), "scrape_invalid");
}

TEST(Scrape, HasTheFormOfBep48) {
  ScrapeEntry entry{.seeders = 1, .completed = 2, .leechers = 3};
  entry.info_hash.fill('h');
  EXPECT_EQ(as_text(encode_scrape({entry})),
            "d5:filesd20:hhhhhhhhhhhhhhhhhhhhd8:completei1e10:downloadedi2e10:incompletei3eeee");
  EXPECT_EQ(as_text(encode_scrape({})), "d5:filesdee");
}

}  // namespace
}  // namespace convoy::bt
