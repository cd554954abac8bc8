#include "tracker/api/requests.hpp"

#include <gtest/gtest.h>

#include "tracker/api/call_limiter.hpp"
#include "tracker/api/errors.hpp"

namespace convoy::tracker {
namespace {

using namespace std::chrono_literals;

std::string ticket_with(const std::string& members) {
  return R"({"registry":"r.test","digest":"sha256:)" + std::string(64, 'a') + "\"" + members + "}";
}

TEST(TicketBody, ReadsAllMembers) {
  const auto call = parse_ticket(ticket_with(
      R"(,"repository":"a/b","authorization":"Bearer x","act":["leech","seed"],"port":6881)"));
  ASSERT_TRUE(call.ok()) << call.error().text();
  EXPECT_EQ(call->registry, "r.test");
  EXPECT_EQ(call->repository->str(), "a/b");
  EXPECT_EQ(call->authorization->reveal(), "Bearer x");
  EXPECT_TRUE(call->act.leech && call->act.seed);
  EXPECT_EQ(call->port, 6881);
  EXPECT_FALSE(call->known);
}

TEST(TicketBody, ReadsTheSwarmThatIsKnown) {
  const std::string act = R"(,"act":["leech"],"known":)";
  const auto call = parse_ticket(ticket_with(act + '"' + std::string(64, 'c') + '"'));
  ASSERT_TRUE(call.ok()) << call.error().text();
  EXPECT_EQ(to_hex(*call->known), std::string(64, 'c'));
  for (const std::string& known : {std::string("7"), '"' + std::string(63, 'c') + '"',
                                   '"' + std::string(65, 'c') + '"', std::string(R"("")")}) {
    EXPECT_FALSE(parse_ticket(ticket_with(act + known)).ok()) << known;
  }
}

TEST(TicketBody, RefusesWrongMembers) {
  const std::string act = R"(,"act":["seed"])";
  EXPECT_TRUE(parse_ticket(ticket_with(act)).ok());
  EXPECT_TRUE(parse_ticket(ticket_with(act + R"(,"unknown":{"x":1})")).ok());
  for (const char* members :
       {"", R"(,"act":[])", R"(,"act":["eat"])", R"(,"act":["seed","seed"])", R"(,"act":"seed")",
        R"(,"act":["seed"],"port":65536)", R"(,"act":["seed"],"port":-1)",
        R"(,"act":["seed"],"port":"6881")", R"(,"act":["seed"],"repository":7)",
        R"(,"act":["seed"],"repository":"../x")", R"(,"act":["seed"],"authorization":null)",
        R"(,"act":["seed"],"zone":"a/b")", R"(,"act":["seed"],"zone":7)",
        R"(,"act":["seed"],"act":["leech"])", R"(,"act":["seed"],"digest":"sha256:00")"}) {
    const auto call = parse_ticket(ticket_with(members));
    ASSERT_FALSE(call.ok()) << members;
    EXPECT_EQ(call.error().kind(), ErrorClass::invalid);
  }
}

TEST(TicketBody, ReadsTheZoneUpToItsLimit) {
  const auto zone_of = [](const std::string& zone) {
    return parse_ticket(ticket_with(R"(,"act":["seed"],"zone":")" + zone + "\""));
  };
  EXPECT_TRUE(parse_ticket(ticket_with(R"(,"act":["seed"])"))->zone.common());
  EXPECT_EQ(zone_of("rack-7")->zone.str(), "rack-7");
  EXPECT_TRUE(zone_of(std::string(63, 'z')).ok());
  EXPECT_FALSE(zone_of(std::string(64, 'z')).ok());
}

TEST(ReportBody, RefusesWrongMembers) {
  const auto body = [](const std::string& node, const std::string& reason,
                       const std::string& more) {
    return R"({"info_hash":")" + std::string(64, 'a') + R"(","node":")" + node + R"(","reason":")" +
           reason + "\"" + more + "}";
  };
  const std::string node = "spiffe://example.org/cluster/c1/node/n1";
  EXPECT_TRUE(parse_report(body(node, "corrupt_piece", R"(,"piece":7,"count":2)")).ok());
  EXPECT_FALSE(parse_report(body("n1", "corrupt_piece", "")).ok());
  EXPECT_FALSE(parse_report(body(node, "a b", "")).ok());
  EXPECT_FALSE(parse_report(body(node, "", "")).ok());
  EXPECT_FALSE(parse_report(body(node, "r", R"(,"piece":-1)")).ok());
  EXPECT_FALSE(parse_report(body(node, "r", R"(,"piece":4294967296)")).ok());
  EXPECT_FALSE(parse_report(body(node, "r", R"(,"count":0)")).ok());
}

TEST(OriginBody, WantsAPort) {
  EXPECT_TRUE(parse_origin(R"({"registry":"r.test:5000","port":1})").ok());
  EXPECT_FALSE(parse_origin(R"({"registry":"r.test:5000","port":0})").ok());
  EXPECT_FALSE(parse_origin(R"({"registry":"r.test:5000"})").ok());
  EXPECT_FALSE(parse_origin(R"({"registry":"http://r.test","port":1})").ok());
  EXPECT_EQ(parse_origin(R"({"registry":"r.test","port":1,"zone":"a"})")->zone.str(), "a");
  EXPECT_FALSE(parse_origin(R"({"registry":"r.test","port":1,"zone":" "})").ok());
}

TEST(TrackerErrors, StatusFollowsTheClassAndDetailStaysInside) {
  const ErrorReply reply = to_tracker_error(denied("pull_denied", "secret detail"));
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  EXPECT_NE(reply.body.find("\"pull_denied\""), std::string::npos);
  EXPECT_EQ(to_tracker_error(internal_error("boom")).body.find("boom"), std::string::npos);
  EXPECT_EQ(to_tracker_error(too_large("body_too_large")).status, 413);
  EXPECT_EQ(to_tracker_error(exhausted("x")).status, 429);
  EXPECT_EQ(to_tracker_error(unavailable("x")).status, 503);
  EXPECT_EQ(to_failure_reason(corrupt("x")), "internal");
}

TEST(CallLimiter, BurstThenRate) {
  CallLimiter limiter({.per_second = 2, .burst = 3, .max_nodes = 2});
  const SteadyTime start{1h};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.admit("a", start));
  EXPECT_FALSE(limiter.admit("a", start));
  EXPECT_TRUE(limiter.admit("b", start));
  EXPECT_FALSE(limiter.admit("c", start)) << "no room for a third node";
  EXPECT_TRUE(limiter.admit("a", start + 500ms));
  EXPECT_FALSE(limiter.admit("a", start + 500ms));
  EXPECT_TRUE(limiter.admit("c", start + 2s)) << "nodes at rest are forgotten";
}

}  // namespace
}  // namespace convoy::tracker
