#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/events/event_hub.hpp"
#include "support/net_http.hpp"
#include "support/registry_store.hpp"
#include "support/registry_world.hpp"
#include "support/text_log.hpp"

namespace convoy::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::RegistryWorld;

constexpr const char* kKey = "0123456789abcdef-canary";

struct Taken {
  std::string body;
  std::string type;
  std::string signature;
  boost::json::value json() const { return boost::json::parse(body); }
  std::string subject() const { return json().at("subject").as_string().c_str(); }
  std::string id() const { return json().at("id").as_string().c_str(); }
};

/// Answers with the statuses it was told, one after the other, the last for ever; 0 never answers.
class Receiver {
 public:
  Receiver(test::Loop& loop, std::vector<int> statuses)
      : loop_(loop),
        statuses_(std::move(statuses)),
        web_(loop, [this](net::HttpExchange& e) { return take(e); }) {}

  http::Url url() const { return web_.url("/hook?token=canary-in-url"); }
  /// Runs the loop until so many requests came.
  const std::vector<Taken>& await(std::size_t count) {
    const auto came = [this, count] { return taken.size() >= count; };
    loop_.run(until(came));
    return taken;
  }
  static net::Task<void> until(std::function<bool()> holds) {
    while (!holds()) static_cast<void>(co_await net::sleep_for(milliseconds(2)));
  }
  std::vector<Taken> taken;
  std::string retry_after;
  std::string location;

 private:
  net::Task<void> take(net::HttpExchange& exchange) {
    auto body = co_await exchange.read_all(100'000);
    const http::Headers& headers = exchange.request().headers;
    taken.push_back({body.value_or("!"), std::string(headers.get("Content-Type").value_or("")),
                     std::string(headers.get("Convoy-Signature").value_or(""))});
    const int status = statuses_[std::min(taken.size(), statuses_.size()) - 1];
    if (status == 0) {
      static_cast<void>(co_await net::sleep_for(seconds(60)));
      co_return;
    }
    http::ResponseHead head;
    head.status = status;
    if (!retry_after.empty()) head.headers.set("Retry-After", retry_after);
    if (!location.empty()) head.headers.set("Location", location);
    std::string answer;
    static_cast<void>(co_await exchange.respond(std::move(head), std::move(answer)));
  }

  test::Loop& loop_;
  std::vector<int> statuses_;
  test::WebServer web_;
};

class Hooks : public testing::Test {
 protected:
  WebhookOptions hook(const http::Url& url) {
    WebhookOptions out;
    out.name = "h";
    out.url = url;
    out.pull = true;
    out.secret = Secret(kKey);
    out.timeout = milliseconds(300);
    return out;
  }
  EventHub& start(std::vector<WebhookOptions> options) {
    Webhook::Needs needs{loop.executor(),
                         clock,
                         random,
                         metrics,
                         Logger(log, clock, "events"),
                         "https://registry.example",
                         {milliseconds(2), milliseconds(8), milliseconds(20)}};
    hub = EventHub::make(std::move(needs), std::move(options)).value();
    hub->start();
    return *hub;
  }
  void TearDown() override {
    if (hub) stop(milliseconds(0));
    EXPECT_THAT(log->text(), testing::Not(testing::HasSubstr("canary")));
  }
  void stop(Duration grace) {
    loop.run(hub->stop(grace));
    hub.reset();
  }
  bool signed_by(const Secret& secret, const Taken& taken) {
    const auto comma = taken.signature.find(',');
    const UnixTime time{seconds(std::stoll(taken.signature.substr(2, comma - 2)))};
    return clock.wall() - time <= seconds(5) &&
           taken.signature == event_signature(secret, time, taken.body);
  }
  void post(const std::string& digest, EventKind kind = EventKind::push) {
    Event event;
    event.kind = kind;
    event.repository = "team/app";
    event.digest = digest;
    hub->post(std::move(event));
    hub->wake();
  }
  double counted(const char* outcome) {
    return metrics
        .counter("convoy_registry_events_total", "Events by what became of them.",
                 {{"webhook", "h"}, {"outcome", outcome}})
        .value();
  }
  void until(std::function<bool()> holds) { loop.run(Receiver::until(std::move(holds))); }
  std::size_t lines(const std::string& text) {
    std::size_t n = 0;
    const std::string all = log->text();
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++n;
    return n;
  }

  SystemClock clock;
  SystemRandom random;
  test::Loop loop;
  net::Metrics metrics;
  std::shared_ptr<test::TextLog> log = std::make_shared<test::TextLog>();
  std::unique_ptr<EventHub> hub;
};

TEST_F(Hooks, DeliverInOrderAndSigned) {
  Receiver receiver(loop, {204});
  start({hook(receiver.url())});
  for (const char* digest : {"d1", "d2", "d3"}) post(digest);
  const auto& taken = receiver.await(3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(taken[i].subject(), "team/app@d" + std::to_string(i + 1));
    EXPECT_EQ(taken[i].type, "application/cloudevents+json");
    EXPECT_TRUE(signed_by(Secret(kKey), taken[i]));
  }
  EXPECT_NE(taken[0].id(), taken[1].id());
  until([&] { return counted("delivered") == 3; });
}

TEST_F(Hooks, TryTheSameEventAgainWhileTheReceiverFails) {
  Receiver receiver(loop, {503, 429, 0, 500, 200});
  receiver.retry_after = "7200";  // cut to the rules' limit
  start({hook(receiver.url())});
  post("d1");
  post("d2");
  const auto& taken = receiver.await(6);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(taken[i].id(), taken[0].id());
  EXPECT_EQ(taken[5].subject(), "team/app@d2");
  until([&] { return counted("delivered") == 2; });
  EXPECT_EQ(lines("webhook receiver fails"), 1u);  // not once for each attempt
}

TEST_F(Hooks, DropWhatIsRefusedAndFollowNoRedirect) {
  Receiver elsewhere(loop, {200});
  Receiver receiver(loop, {400, 410, 307, 200});
  receiver.location = elsewhere.url().str();
  start({hook(receiver.url())});
  for (const char* digest : {"d1", "d2", "d3", "d4"}) post(digest);
  receiver.await(4);
  until([&] { return counted("delivered") == 1; });
  EXPECT_EQ(counted("refused"), 3);
  EXPECT_TRUE(elsewhere.taken.empty());
  EXPECT_EQ(lines("webhook events lost"), 1u);
}

TEST_F(Hooks, GiveUpAnEventThatIsTooOldAndGoOn) {
  Receiver receiver(loop, {500, 500, 200});
  auto options = hook(receiver.url());
  options.retry_for = milliseconds(0);
  start({options});
  for (const char* digest : {"d1", "d2", "d3"}) post(digest);
  const auto& taken = receiver.await(3);
  EXPECT_EQ(taken[2].subject(), "team/app@d3");
  until([&] { return counted("delivered") == 1; });
  EXPECT_EQ(counted("expired"), 2);
}

TEST_F(Hooks, HoldNoMoreThanTheBoundForADeadReceiver) {
  Receiver receiver(loop, {0});
  auto options = hook(receiver.url());
  options.queue = 10;
  options.timeout = seconds(30);
  start({options});
  post("first");
  receiver.await(1);  // in hand, and never answered
  for (int i = 0; i < 1000; ++i) post("p" + std::to_string(i), EventKind::pull);
  for (int i = 0; i < 11; ++i) post("d" + std::to_string(i));
  EXPECT_EQ(counted("overflow"), 1001);
  EXPECT_EQ(lines("webhook events lost"), 1u);
  const SteadyTime began = clock.steady();
  stop(milliseconds(50));
  EXPECT_LT(clock.steady() - began, seconds(5));
  EXPECT_EQ(counted("stopped"), 11);
  EXPECT_EQ(lines("webhook events lost at the stop"), 1u);
}

TEST_F(Hooks, DeliverWhatWaitsBeforeTheStop) {
  Receiver receiver(loop, {500, 200});
  auto options = hook(receiver.url());
  Webhook::Needs slow{loop.executor(),
                      clock,
                      random,
                      metrics,
                      Logger::none(),
                      "s",
                      {seconds(60), seconds(60), seconds(60)}};
  hub = EventHub::make(std::move(slow), {options}).value();
  hub->start();
  for (const char* digest : {"d1", "d2", "d3"}) post(digest);
  receiver.await(1);
  loop.run(net::sleep_for(milliseconds(20)));  // it now waits for its next try
  stop(seconds(5));
  EXPECT_EQ(receiver.taken.size(), 4u);
  EXPECT_EQ(counted("delivered"), 3);
  EXPECT_EQ(counted("stopped"), 0);
}

TEST_F(Hooks, GetOnlyWhatTheyAskFor) {
  Receiver receiver(loop, {200});
  auto options = hook(receiver.url());
  options.pull = false;
  options.repositories = {"team/*"};
  start({options});
  EXPECT_FALSE(hub->wants(EventKind::pull));
  post("pulled", EventKind::pull);
  Event other;
  other.repository = "other/app";
  hub->post(other);
  post("d1");
  EXPECT_EQ(receiver.await(1)[0].subject(), "team/app@d1");
}

TEST_F(Hooks, OneThatHangsDoesNotHoldUpAnother) {
  Receiver hangs(loop, {0});
  Receiver works(loop, {200});
  auto first = hook(hangs.url());
  first.timeout = seconds(30);
  auto second = hook(works.url());
  second.name = "other";
  start({first, second});
  for (const char* digest : {"d1", "d2", "d3"}) post(digest);
  EXPECT_EQ(works.await(3)[2].subject(), "team/app@d3");
  EXPECT_EQ(hangs.taken.size(), 1u);
}

TEST_F(Hooks, SignWithTheSecretThatReplacedTheirs) {
  Receiver receiver(loop, {200});
  const WebhookOptions option = hook(receiver.url());
  start({option});
  WebhookOptions other = option;
  other.secret = Secret("another-canary-0123");
  WebhookOptions stranger = other;
  stranger.name = "nobody";
  WebhookOptions bad = option;
  bad.secret = Secret(std::string(WebhookOptions::kLeastSecret - 1, 'x'));
  EXPECT_EQ(hub->replace_secrets({other, bad}).error().code(), "option_invalid");
  post("d1");
  EXPECT_TRUE(signed_by(option.secret, receiver.await(1)[0])) << "none was replaced";
  ASSERT_TRUE(hub->replace_secrets({stranger, other}).ok());
  post("d2");
  EXPECT_TRUE(signed_by(other.secret, receiver.await(2)[1]));
}

TEST_F(Hooks, RefuseAShortSecretAndRootsThatAreNone) {
  Webhook::Needs needs{loop.executor(), clock, random, metrics, Logger::none(), "s", {}};
  auto options = hook(http::parse_url("https://receiver.example/").value());
  options.secret = Secret("0123456789abcde");
  EXPECT_FALSE(Webhook::make(needs, options).ok());
  options.secret = Secret("0123456789abcdef");
  EXPECT_TRUE(Webhook::make(needs, options).ok());
  options.roots_pem = "nonsense";
  EXPECT_EQ(Webhook::make(needs, options).error().code(), "option_invalid");
}

TEST(RegistryEvents, AreMadeOfPushesPullsAndDeletionsAlone) {
  test::Loop* loop = nullptr;
  std::unique_ptr<Receiver> receiver;
  RegistryWorld world([&](RegistryOptions& options) {
    if (!receiver) return;
    WebhookOptions hook;
    hook.name = "h";
    hook.url = receiver->url();
    hook.pull = true;
    hook.secret = Secret(kKey);
    options.webhooks.push_back(std::move(hook));
  });
  loop = &world.loop;
  receiver = std::make_unique<Receiver>(*loop, std::vector<int>{200});
  world.restart();

  const std::string digest = world.push_image("team/app", "v1");
  const std::string path = "/v2/team/app/manifests/";
  const std::string token = world.all("team/app");
  EXPECT_EQ(world.head(path + "v1", token).status, 200);
  EXPECT_EQ(world.get(path + "v1", token, {{"If-None-Match", '"' + digest + '"'}}).status, 304);
  EXPECT_EQ(world.get(path + "absent", token).status, 404);
  EXPECT_EQ(world.get(path + "v1", "").status, 401);
  EXPECT_EQ(world.put_manifest("team/app", "bad", "{}").status, 400);
  const std::string body = world.get(path + "v1", token).body;
  const auto remove = [&](const std::string& reference) {
    return world.send({.method = "DELETE",
                       .target = path + reference,
                       .body = {},
                       .headers = {},
                       .token = token});
  };
  EXPECT_EQ(remove("v1").status, 202);
  EXPECT_EQ(remove("v1").status, 404);
  EXPECT_EQ(world.put_manifest("team/app", digest + "?tag=a&tag=b", body).status, 201);
  EXPECT_EQ(remove(digest).status, 202);

  const auto& taken = receiver->await(5);
  EXPECT_EQ(taken[0].json().at("type"), "dev.convoy.registry.manifest.pushed");
  EXPECT_EQ(taken[0].subject(), "team/app@" + digest);
  EXPECT_EQ(taken[0].json().at("source"), "registry.test");
  const auto data = taken[0].json().at("data");
  EXPECT_EQ(data.at("tags"), boost::json::parse(R"(["v1"])"));
  EXPECT_EQ(data.at("actor"), "ann");
  EXPECT_EQ(data.at("remoteAddress"), "127.0.0.1");
  EXPECT_EQ(data.at("mediaType"), "application/vnd.oci.image.manifest.v1+json");
  EXPECT_EQ(data.at("size").as_int64(), static_cast<std::int64_t>(body.size()));
  EXPECT_EQ(taken[1].json().at("type"), "dev.convoy.registry.manifest.pulled");
  EXPECT_EQ(taken[1].json().at("data").at("tags"), boost::json::parse(R"(["v1"])"));
  EXPECT_EQ(taken[2].subject(), "team/app:v1");
  EXPECT_EQ(taken[3].json().at("data").at("tags"), boost::json::parse(R"(["a","b"])"));
  EXPECT_EQ(taken[4].json().at("type"), "dev.convoy.registry.manifest.deleted");
  world.stop();
  EXPECT_EQ(receiver->taken.size(), 5u);
  receiver.reset();
}

TEST(RegistryEvents, AreMadeOfWhatIsCollectedButNotOfARehearsal) {
  test::RegistryStore world({{.name = "*",
                              .quota_bytes = 0,
                              .immutable_tags = {},
                              .retention = {{{"**"}, {"*"}, 1, {}, {}}}}});
  ASSERT_TRUE(world.push("a", "layer").ok());
  ASSERT_TRUE(world.put("a", "old", {"layer"}, {world.tag("v1")}).ok());
  world.clock.advance(seconds(10));
  ASSERT_TRUE(world.put("a", "new", {"layer"}, {world.tag("v2")}).ok());
  std::vector<Event> events;
  const auto collect = [&](bool dry_run) {
    auto run = world.collector(dry_run);
    run.on_event = [&](Event event) { events.push_back(std::move(event)); };
    while (run.step().value()) {
    }
  };
  collect(true);
  EXPECT_TRUE(events.empty());
  collect(false);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::remove_tag);
  EXPECT_EQ(events[0].tags, std::vector<std::string>{"v1"});
  EXPECT_EQ(events[0].digest, world.digest("old").str());
  EXPECT_EQ(events[0].actor, "retention");
  world.clock.advance(std::chrono::hours(11));
  collect(true);
  EXPECT_EQ(events.size(), 1u);
  collect(false);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].kind, EventKind::remove_manifest);
  EXPECT_EQ(events[1].repository, "a");
  EXPECT_EQ(events[1].digest, world.digest("old").str());
  EXPECT_EQ(events[1].actor, "gc");
}

}  // namespace
}  // namespace convoy::registry
