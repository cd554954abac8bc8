#include "clients/tracker/tracker_answers.hpp"

#include <gtest/gtest.h>

namespace convoy::clients {
namespace {

const std::string kHash(64, 'a');

std::string ticket_body(std::string peers, std::string more = {}) {
  return R"({"ticket":"t","expires_in":600,"metadata":"m","info_hash":")" + kHash +
         R"(","interval":30,"peers":)" + peers + more + "}";
}

TEST(TrackerError, KeepsTheCodeAndTakesTheClassFromTheStatus) {
  const std::string body = R"({"error":{"code":"pull_denied","message":"no"}})";
  const Error error = tracker_error(403, body);
  EXPECT_EQ(error.kind(), ErrorClass::denied);
  EXPECT_EQ(error.code(), "pull_denied");
  EXPECT_EQ(tracker_error(401, body).kind(), ErrorClass::unauthorized);
  EXPECT_EQ(tracker_error(404, body).kind(), ErrorClass::not_found);
  EXPECT_EQ(tracker_error(409, body).kind(), ErrorClass::conflict);
  EXPECT_EQ(tracker_error(413, body).kind(), ErrorClass::too_large);
  EXPECT_EQ(tracker_error(429, body).kind(), ErrorClass::exhausted);
  EXPECT_EQ(tracker_error(500, body).kind(), ErrorClass::unavailable);
  EXPECT_EQ(tracker_error(504, body).kind(), ErrorClass::timeout);
}

TEST(TrackerError, TakesNoCodeThatIsNone) {
  EXPECT_EQ(tracker_error(502, "<html>").code(), "tracker_error");
  EXPECT_EQ(tracker_error(403, R"({"error":{"code":"A b\n"}})").code(), "tracker_error");
  EXPECT_EQ(tracker_error(403, R"({"error":"text"})").code(), "tracker_error");
}

TEST(TicketReply, ReadsPeers) {
  const auto reply = parse_ticket_reply(
      ticket_body(R"([{"ip":"10.0.0.1","port":1,"origin":true},{"ip":"::1","port":65535}])"));
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  ASSERT_EQ(reply->peers.size(), 2u);
  EXPECT_TRUE(reply->peers[0].origin);
  EXPECT_EQ(reply->peers[1].address.port, 65535);
  EXPECT_EQ(reply->expires_in, std::chrono::seconds(600));
}

TEST(TicketReply, RefusesWhatIsNoAnswer) {
  for (const char* peers :
       {R"([{"ip":"host.example","port":1}])", R"([{"ip":"10.0.0.1","port":0}])",
        R"([{"ip":"10.0.0.1","port":65536}])", R"([{"port":1}])", "{}"}) {
    const auto reply = parse_ticket_reply(ticket_body(peers));
    ASSERT_FALSE(reply.ok()) << peers;
    EXPECT_EQ(reply.error().code(), "tracker_answer_invalid");
  }
  EXPECT_FALSE(parse_ticket_reply(ticket_body("[]", R"(,"ticket":"again")")).ok());
  EXPECT_FALSE(parse_ticket_reply("[]").ok());
  EXPECT_FALSE(parse_ticket_reply("{}").ok());
}

TEST(TicketReply, MayLackTheTicketForAKnownSwarmAlone) {
  const std::string body = R"({"info_hash":")" + kHash + R"(","interval":30,"peers":[])";
  const auto known = hash256_from_hex(kHash);
  const auto reply = parse_ticket_reply(body + "}", known);
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_EQ(reply->ticket, "");
  EXPECT_FALSE(parse_ticket_reply(body + "}").ok());
  EXPECT_FALSE(parse_ticket_reply(body + "}", Hash256{}).ok());
  EXPECT_FALSE(parse_ticket_reply(body + R"(,"ticket":"t"})", known).ok());
  EXPECT_EQ(parse_ticket_reply(ticket_body("[]"), known)->ticket, "t");
}

TEST(TicketReply, ReadsThePlaceInTheZone) {
  const auto plain = parse_ticket_reply(ticket_body("[]"));
  ASSERT_TRUE(plain.ok());
  EXPECT_TRUE(plain->zone.common());
  EXPECT_EQ(plain->zone_index, 0U);
  EXPECT_EQ(plain->zone_count, 1U);
  const auto placed =
      parse_ticket_reply(ticket_body("[]", R"(,"zone":"a","zone_index":3,"zone_count":4)"));
  ASSERT_TRUE(placed.ok()) << placed.error().text();
  EXPECT_EQ(placed->zone.str(), "a");
  EXPECT_EQ(placed->zone_index, 3U);
  EXPECT_EQ(placed->zone_count, 4U);
}

TEST(TicketReply, RefusesAPlaceThatCannotBe) {
  for (const char* more : {R"(,"zone":"a b")", R"(,"zone":7)", R"(,"zone_index":4,"zone_count":4)",
                           R"(,"zone_index":-1)", R"(,"zone_count":0)", R"(,"zone_count":1000001)",
                           R"(,"zone_index":"1","zone_count":4)"}) {
    EXPECT_FALSE(parse_ticket_reply(ticket_body("[]", more)).ok()) << more;
  }
  EXPECT_TRUE(parse_ticket_reply(ticket_body("[]", R"(,"zone_count":1000000)")).ok());
}

TEST(TicketReply, PeerLimitHoldsAtThousand) {
  const auto with = [](int n) {
    std::string peers = "[";
    for (int i = 0; i < n; ++i) peers += std::string(i ? "," : "") + R"({"ip":"1.1.1.1","port":1})";
    return parse_ticket_reply(ticket_body(peers + "]"));
  };
  EXPECT_TRUE(with(1000).ok());
  EXPECT_FALSE(with(1001).ok());
}

TEST(Enrolment, NeedsEachMember) {
  const std::string good =
      R"({"id":"i","chain":"c","root":"r","cluster":"c","trust_domain":"t","registries":[)"
      R"({"host":"h","issuer":"i","roots":"r"}]})";
  const auto enrolment = parse_enrolment(good);
  ASSERT_TRUE(enrolment.ok());
  ASSERT_EQ(enrolment->registries.size(), 1u);
  EXPECT_EQ(enrolment->registries[0].host, "h");
  EXPECT_FALSE(parse_enrolment(R"({"id":"i"})").ok());
  EXPECT_FALSE(
      parse_enrolment(R"({"id":"i","chain":"c","root":"r","cluster":"c","trust_domain":"t"})")
          .ok());
}

TEST(AnnounceAnswer, FailureReasonIsARefusal) {
  const auto reply = parse_announce_answer("d14:failure reason13:grant_missinge");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().kind(), ErrorClass::denied);
  EXPECT_EQ(reply.error().code(), "announce_refused");
  EXPECT_EQ(reply.error().detail(), "grant_missing");
  EXPECT_EQ(parse_announce_answer("<html>").error().code(), "tracker_answer_invalid");
}

}  // namespace
}  // namespace convoy::clients
