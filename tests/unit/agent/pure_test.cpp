#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "agent/fetch/permit_cache.hpp"
#include "agent/fetch/piece_marks.hpp"
#include "agent/fetch/pull_log.hpp"
#include "agent/fetch/stall_watch.hpp"
#include "agent/fetch/ticket_desk.hpp"
#include "agent/mirror/passthrough.hpp"
#include "agent/mirror/v2_path.hpp"
#include "support/manual_clock.hpp"

namespace convoy::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Result<V2Path> path(std::string_view target) {
  auto parsed = http::parse_target(target);
  if (!parsed) return parsed.error();
  return parse_v2_path(*parsed);
}

TEST(V2PathTest, TellsWhatIsAskedFor) {
  const std::string hex(64, 'a');
  EXPECT_EQ(path("/v2/")->kind, V2Path::Kind::ping);
  EXPECT_EQ(path("/v2")->kind, V2Path::Kind::ping);
  const auto blob = path("/v2/a/b/c/blobs/sha256:" + hex + "?ns=x");
  ASSERT_EQ(blob->kind, V2Path::Kind::blob);
  EXPECT_EQ(blob->repository->str(), "a/b/c");
  EXPECT_EQ(blob->digest->str(), "sha256:" + hex);
  EXPECT_EQ(path("/v2/a/manifests/latest")->kind, V2Path::Kind::manifest);
  EXPECT_EQ(path("/v2/blobs/manifests/blobs/latest/manifests/x")->kind, V2Path::Kind::manifest);
  for (const char* other :
       {"/", "/v3/a/blobs/x", "/v2/a/blobs/uploads/", "/v2/a/blobs/uploads",
        "/v2/a/blobs/uploads/77", "/v2/a/tags/list", "/v2/_catalog", "/v2/a/manifests/latest/"}) {
    EXPECT_EQ(path(other)->kind, V2Path::Kind::other) << other;
  }
  EXPECT_EQ(path("/v2/UPPER/manifests/latest").error().code(), "name_invalid");
  EXPECT_EQ(path("/v2/a/blobs/sha256:abc").error().code(), "digest_invalid");
  EXPECT_EQ(path("/v2/a/manifests/.x").error().code(), "tag_invalid");
}

constexpr std::uint32_t kPiece = 16384;

TEST(StallWatchTest, TotalSilenceForTheWholeTimeIsAStall) {
  const SteadyTime t{};
  StallWatch watch(seconds(5), kPiece, 0, t);
  EXPECT_FALSE(watch.stalled(t + milliseconds(4999)));
  EXPECT_TRUE(watch.stalled(t + seconds(5)));
  watch.moved(t + seconds(5));
  watch.swarm_bytes(10, t + seconds(5));
  EXPECT_FALSE(watch.stalled(t + milliseconds(9999)));
  EXPECT_TRUE(watch.stalled(t + seconds(10)));
}

TEST(StallWatchTest, ABusySwarmGetsThreeTimesAsLongForThePieceInFront) {
  const SteadyTime t{};
  StallWatch watch(seconds(5), kPiece, 0, t);
  for (int i = 1; i <= 14; ++i) {
    watch.swarm_bytes(static_cast<std::uint64_t>(i) << 20, t + seconds(i));
    EXPECT_FALSE(watch.stalled(t + seconds(i)));
  }
  watch.swarm_bytes(15 << 20, t + seconds(15));
  EXPECT_TRUE(watch.stalled(t + seconds(15)));
  EXPECT_FALSE(watch.hopeless(t + milliseconds(29'999)));
  EXPECT_TRUE(watch.hopeless(t + seconds(30)));
}

TEST(StallWatchTest, ASlowSwarmGetsTheTimeOfSoManyPiecesButNotForever) {
  const SteadyTime t{};
  const auto asks_after = [&](std::uint64_t pieces_per_second) {
    StallWatch watch(seconds(5), kPiece, 0, t);
    int s = 0;
    do {
      ++s;
      watch.swarm_bytes(static_cast<std::uint64_t>(s) * pieces_per_second * kPiece, t + seconds(s));
    } while (!watch.stalled(t + seconds(s)));
    return s;
  };
  EXPECT_EQ(asks_after(100), 15);
  EXPECT_EQ(asks_after(8), 16);
  EXPECT_EQ(asks_after(5), 26);
  EXPECT_EQ(asks_after(1), 30);
}

TEST(StallWatchTest, SilenceDoesNotMakeTheWaitLonger) {
  const SteadyTime t{};
  StallWatch watch(seconds(5), kPiece, 0, t);
  watch.swarm_bytes(kPiece * 100, t + seconds(1));
  EXPECT_FALSE(watch.stalled(t + milliseconds(5999)));
  EXPECT_TRUE(watch.stalled(t + seconds(6)));
  EXPECT_FALSE(watch.hopeless(t + milliseconds(29'999)));
  EXPECT_TRUE(watch.hopeless(t + seconds(30)));
}

TEST(StallWatchTest, NodesOfACrowdWaitEachForAnotherTime) {
  const SteadyTime t{};
  StallWatch watch(seconds(4), kPiece, 0.25, t);
  EXPECT_FALSE(watch.stalled(t + milliseconds(4999)));
  EXPECT_TRUE(watch.stalled(t + seconds(5)));
  EXPECT_FALSE(watch.hopeless(t + milliseconds(29'999)));
  EXPECT_TRUE(watch.hopeless(t + seconds(30)));
}

bt::BlobMeta meta(std::uint64_t size) {
  return {
      .digest = oci::Digest::sha256({}), .size = size, .piece_length = 16384, .pieces_root = {}};
}

TEST(PieceMarksTest, RunsEndAtTheFirstGapAndAtTheEnd) {
  const auto m = meta(3 * 16384 + 1);
  PieceMarks marks(m);
  EXPECT_FALSE(marks.any());
  EXPECT_EQ(marks.run_from(0), 0U);
  marks.set(0);
  marks.set(1);
  marks.set(3);
  EXPECT_EQ(marks.run_from(0), 2 * 16384U);
  EXPECT_EQ(marks.run_from(16384 + 5), 16384U - 5);
  EXPECT_EQ(marks.run_from(2 * 16384), 0U);
  EXPECT_EQ(marks.run_from(3 * 16384), 1U);
  EXPECT_EQ(marks.run_from(3 * 16384 + 1), 0U);
}

TEST(ReleaseTest, TheLastPieceWaitsForTheDigest) {
  const auto m = meta(2 * 16384 + 100);
  EXPECT_EQ(releasable(m, 0, m.size, false), 2 * 16384U);
  EXPECT_EQ(releasable(m, 0, m.size, true), m.size);
  EXPECT_EQ(releasable(m, 2 * 16384, 100, false), 0U);
  EXPECT_EQ(releasable(m, 0, 16384, false), 16384U);
  EXPECT_EQ(releasable(meta(10), 0, 10, false), 0U);
  EXPECT_EQ(releasable(meta(16384), 0, 16384, false), 0U);
}

class Permits : public ::testing::Test {
 protected:
  static UpstreamPtr upstream(const char* host) {
    return std::make_shared<const Upstream>(
        Upstream{*oci::RegistryHost::parse(host), {}, {}, nullptr, nullptr});
  }
  static BlobAsk ask(const char* host, const char* repository, std::uint8_t digest) {
    Hash256 hash{};
    hash[0] = digest;
    return {upstream(host),
            *oci::RepoName::parse(repository),
            oci::Digest::sha256(hash),
            {},
            false,
            "r",
            "ip"};
  }
};

TEST_F(Permits, EachPartOfTheDecisionMakesAnotherKey) {
  const auto key = permit_key(ask("a.b", "x/y", 1), Secret("t"));
  EXPECT_EQ(key, permit_key(ask("a.b", "x/y", 1), Secret("t")));
  EXPECT_NE(key, permit_key(ask("a.c", "x/y", 1), Secret("t")));
  EXPECT_NE(key, permit_key(ask("a.b", "x/z", 1), Secret("t")));
  EXPECT_NE(key, permit_key(ask("a.b", "x/y", 2), Secret("t")));
  EXPECT_NE(key, permit_key(ask("a.b", "x/y", 1), Secret("u")));
  EXPECT_NE(key, permit_key(ask("a.b", "x/y", 1), std::nullopt));
  EXPECT_NE(permit_key(ask("a.b", "x/y", 1), std::nullopt),
            permit_key(ask("a.b", "x/y", 1), Secret("")));
  auto own = ask("a.b", "x/y", 1);
  own.own_credential = true;
  EXPECT_NE(key, permit_key(own, Secret("t")));
}

TEST_F(Permits, LastTenSecondsAndAreBounded) {
  PermitCache cache;
  const SteadyTime t{};
  const auto key = permit_key(ask("a.b", "x/y", 1), std::nullopt);
  cache.put(key, Permit{}, t);
  EXPECT_TRUE(cache.find(key, t + milliseconds(9999)).has_value());
  EXPECT_FALSE(cache.find(key, t + seconds(10)).has_value());
  for (std::uint32_t i = 0; i < 2 * PermitCache::kMaxEntries; ++i) {
    Hash256 other{};
    other[0] = static_cast<std::uint8_t>(i);
    other[1] = static_cast<std::uint8_t>(i >> 8);
    other[2] = static_cast<std::uint8_t>(i >> 16);
    cache.put(other, Permit{}, t);
    ASSERT_LE(cache.size(), PermitCache::kMaxEntries);
  }
}

TEST(TicketFailureTest, OnlyWordsAboutTheUserRefuse) {
  using F = TicketFailure;
  EXPECT_EQ(classify_ticket_error(denied("pull_denied")), F::refused);
  EXPECT_EQ(classify_ticket_error(denied("quarantined")), F::refused);
  EXPECT_EQ(classify_ticket_error(unauthorized("token_expired")), F::refused);
  EXPECT_EQ(classify_ticket_error(unauthorized("registry_unauthorized")), F::refused);
  EXPECT_EQ(classify_ticket_error(not_found("blob_unknown")), F::refused);
  EXPECT_EQ(classify_ticket_error(not_found("registry_unknown")), F::no_swarm);
  EXPECT_EQ(classify_ticket_error(unauthorized("client_certificate_required")), F::no_swarm);
  EXPECT_EQ(classify_ticket_error(denied("node_revoked")), F::no_swarm);
  EXPECT_EQ(classify_ticket_error(unavailable("registry_unavailable")), F::no_swarm);
  EXPECT_EQ(classify_ticket_error(timed_out("request_timeout")), F::no_swarm);
}

TEST(EndToEndTest, KeepsRepeatedFieldsAndDropsTheHop) {
  http::Headers in;
  in.add("Accept", "a");
  in.add("Accept", "b");
  in.add("Connection", "keep-alive, X-Private");
  in.add("X-Private", "1");
  in.add("Transfer-Encoding", "chunked");
  in.add("Proxy-Authorization", "Basic x");
  in.add("Host", "h");
  in.add("Range", "bytes=0-");
  const auto out = end_to_end(in);
  EXPECT_EQ(out.all("Accept").size(), 2U);
  EXPECT_EQ(out.size(), 3U);
  EXPECT_TRUE(out.has("Range"));
}

TEST(PullLogTest, KeepsTheNewestAndNoMoreThanAsked) {
  PullLog log(2, std::make_shared<net::Metrics>(), Logger::none());
  for (const char* id : {"one", "two", "three"}) {
    PullRecord pull;
    pull.request_id = id;
    pull.outcome = "ok";
    pull.bytes.peers = 5;
    log.add(std::move(pull));
  }
  ASSERT_EQ(log.recent().size(), 2U);
  EXPECT_EQ(log.recent().front().request_id, "three");
}

TEST(PullLogTest, ListsThoseUnderWayNewestFirstWhileTheyLast) {
  auto log = std::make_unique<PullLog>(2, std::make_shared<net::Metrics>(), Logger::none());
  PullRecord state;
  const auto look = [&](const char* id) {
    return [&, id] {
      PullRecord now = state;
      now.request_id = id;
      return now;
    };
  };
  const auto ids = [&] {
    std::string out;
    for (const auto& pull : log->running_json()) out += pull.at("request_id").as_string();
    return out;
  };
  {
    const auto first = log->track(look("a"));
    const auto second = log->track(look("b"));
    EXPECT_EQ(ids(), "ba");
    state.outcome = "sending";
    state.bytes.peers = 7;
    const auto now = log->running_json();
    EXPECT_EQ(now[0].at("state").as_string(), "sending");
    EXPECT_EQ(now[0].at("bytes").at("peers").to_number<int>(), 7);
    const auto third = log->track(look("c"));
    EXPECT_EQ(ids(), "cb");  // no more than are kept of those that ended
  }
  EXPECT_EQ(ids(), "");
  EXPECT_TRUE(log->to_json().empty());
  const auto survivor = log->track(look("d"));
  log.reset();
}

}  // namespace
}  // namespace convoy::agent
