#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "crypto/hmac.hpp"
#include "registry/events/delivery.hpp"
#include "registry/events/event.hpp"
#include "registry/events/event_queue.hpp"
#include "support/manual_clock.hpp"

namespace convoy::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::ManualClock;

Event sample() {
  Event event;
  event.repository = "team/app";
  event.digest = "sha256:ab";
  event.tags = {"v1", "latest"};
  event.media_type = "application/vnd.oci.image.manifest.v1+json";
  event.size = 512;
  event.actor = "ann";
  event.remote_ip = "192.0.2.7";
  event.request_id = "r1";
  event.id = "e-1";
  event.time = ManualClock::kStart;
  return event;
}

TEST(CloudEvent, HoldsWhatReceiversNeed) {
  const auto json = boost::json::parse(to_cloud_event(sample(), "https://registry.example"));
  const auto wanted = boost::json::parse(R"({
    "specversion":"1.0","id":"e-1","source":"https://registry.example",
    "type":"dev.convoy.registry.manifest.pushed","subject":"team/app@sha256:ab",
    "time":"2026-01-02T03:04:05Z","datacontenttype":"application/json",
    "data":{"repository":"team/app","digest":"sha256:ab","tags":["v1","latest"],
      "mediaType":"application/vnd.oci.image.manifest.v1+json","size":512,"actor":"ann",
      "remoteAddress":"192.0.2.7","requestId":"r1"}})");
  EXPECT_EQ(json, wanted);
}

TEST(CloudEvent, OfARemovedTagNamesIt) {
  Event event = sample();
  event.kind = EventKind::remove_tag;
  event.tags = {"v1"};
  event.digest.clear();
  event.media_type.clear();
  event.size = 0;
  event.remote_ip.clear();
  event.request_id.clear();
  event.actor = "retention";
  const auto json = boost::json::parse(to_cloud_event(event, "registry"));
  EXPECT_EQ(json.at("type"), "dev.convoy.registry.tag.deleted");
  EXPECT_EQ(json.at("subject"), "team/app:v1");
  EXPECT_EQ(json.at("data"), boost::json::parse(R"({"repository":"team/app","tags":["v1"],)"
                                                R"("actor":"retention"})"));
}

TEST(CloudEvent, TextCannotBreakOut) {
  Event event = sample();
  event.actor = "a\"},\"data\":{\"x\n\xff";
  const auto json = boost::json::parse(to_cloud_event(event, "s\""));
  EXPECT_EQ(json.at("source"), "s\"");
  EXPECT_EQ(json.at("data").at("repository"), "team/app");
}

EventPtr event_of(EventKind kind, const std::string& id) {
  Event event;
  event.kind = kind;
  event.id = id;
  return std::make_shared<const Event>(std::move(event));
}
std::string drained(EventQueue& queue) {
  std::string out;
  while (const EventPtr event = queue.take()) out += event->id;
  return out;
}

TEST(EventQueue, GivesEventsInTheirOrder) {
  EventQueue queue(4);
  for (const char* id : {"1", "2", "3", "4"}) {
    EXPECT_TRUE(queue.add(event_of(*id % 2 == 0 ? EventKind::pull : EventKind::push, id)));
  }
  EXPECT_EQ(queue.size(), 4u);
  EXPECT_EQ(drained(queue), "1234");
}

TEST(EventQueue, FullOfAllSortsItLosesTheOldestPull) {
  EventQueue queue(4);
  queue.add(event_of(EventKind::push, "a"));
  queue.add(event_of(EventKind::pull, "b"));
  queue.add(event_of(EventKind::pull, "c"));
  queue.add(event_of(EventKind::remove_tag, "d"));
  EXPECT_FALSE(queue.add(event_of(EventKind::push, "e")));
  EXPECT_FALSE(queue.add(event_of(EventKind::pull, "f")));
  EXPECT_EQ(queue.size(), 4u);
  EXPECT_EQ(drained(queue), "adef");
}

TEST(EventQueue, FullOfChangesItLosesTheOldestForAChangeAndNoneForAPull) {
  EventQueue queue(2);
  queue.add(event_of(EventKind::push, "a"));
  queue.add(event_of(EventKind::push, "b"));
  EXPECT_FALSE(queue.add(event_of(EventKind::pull, "p")));
  EXPECT_FALSE(queue.add(event_of(EventKind::remove_manifest, "c")));
  EXPECT_EQ(drained(queue), "bc");
}

TEST(Delivery, OnlyWhatMayWorkLaterIsTriedAgain) {
  for (const int status : {200, 201, 202, 204}) EXPECT_EQ(judge(status), Verdict::delivered);
  for (const int status : {408, 425, 429, 500, 502, 503, 599}) {
    EXPECT_EQ(judge(status), Verdict::again) << status;
  }
  for (const int status : {301, 302, 304, 307, 308, 400, 401, 404, 410, 413}) {
    EXPECT_EQ(judge(status), Verdict::refused) << status;
  }
}

TEST(Delivery, WaitsDoubleUpToALimitAndDiffer) {
  SeededRandom random(1);
  const RetryRules rules;
  for (unsigned failures = 1; failures < 100; ++failures) {
    const Duration whole =
        failures > 6 ? Duration(seconds(60)) : Duration(seconds(1U << (failures - 1)));
    const Duration delay = retry_delay(failures, std::nullopt, random, rules);
    EXPECT_GE(delay, whole / 2) << failures;
    EXPECT_LE(delay, whole) << failures;
  }
  EXPECT_NE(retry_delay(9, std::nullopt, random, rules),
            retry_delay(9, std::nullopt, random, rules));
}

TEST(Delivery, HonoursWhatTheReceiverAsksForUpToALimit) {
  SeededRandom random(1);
  EXPECT_EQ(retry_delay(1, seconds(300), random, {}), minutes(5));
  EXPECT_EQ(retry_delay(1, seconds(301), random, {}), minutes(5));
  EXPECT_GE(retry_delay(9, seconds(1), random, {}), seconds(30));
  EXPECT_EQ(parse_retry_after("120"), seconds(120));
  EXPECT_EQ(parse_retry_after("4294967295"), seconds(4294967295));
  for (const char* text :
       {"", "-1", "1.5", " 1", "1s", "4294967296", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    EXPECT_FALSE(parse_retry_after(text)) << text;
  }
}

TEST(Delivery, SignatureCoversTimeAndBody) {
  const Secret key("0123456789abcdef");
  const auto mac = [&](std::string_view text) {
    return to_hex(crypto::hmac_sha256(as_bytes(key.reveal()), as_bytes(text)));
  };
  EXPECT_EQ(event_signature(key, ManualClock::kStart, "{}"),
            "t=1767323045,v1=" + mac("1767323045.{}"));
}

}  // namespace
}  // namespace convoy::registry
