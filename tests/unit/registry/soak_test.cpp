#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <random>

#include "registry/core/collector.hpp"
#include "registry/core/stores.hpp"
#include "storage/meta/registry_upkeep.hpp"
#include "support/registry_world.hpp"

// Clients push, mount, pull and delete at once while collection, retention and scrub never stop.
// CONVOY_SOAK_EVENTS sets how long (default 2,000 events), CONVOY_SOAK_SEED what happens.
namespace convoy::registry {
namespace {

using test::Answer;
using test::RegistryWorld;

constexpr auto kLease = std::chrono::seconds(3);
constexpr auto kPushTime = std::chrono::milliseconds(1900);  // clocks here count whole seconds
constexpr int kClients = 8;
constexpr int kRepositories = 5;
constexpr int kBlobs = 40;

std::uint64_t number_from(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

class Soak {
 public:
  explicit Soak(std::uint64_t seed)
      : world([](RegistryOptions& options) {
          // Else a machine that is busy with other things has pushes refused.
          options.load.latency = {};
          options.upkeep.rules = {kLease, std::chrono::seconds(2)};
          options.upkeep.gc_interval = std::chrono::milliseconds(1);
          options.upkeep.gc_pause = {};
          options.upkeep.scrub_interval = std::chrono::seconds(1);
          RetentionRule rule;
          rule.keep_newest = 4;
          options.projects = {{"team", 1ULL << 30, {}, {rule}}};
        }),
        client_(world.make_client(std::nullopt)),
        random_(seed) {}

  void run(std::uint64_t events) {
    left_ = events;
    net::TaskGroup clients(world.loop.executor());
    for (int i = 0; i < kClients; ++i) {
      clients.spawn([this] { return client(); });
    }
    const auto limit = std::chrono::seconds(60 + events / 10);
    world.loop.run(until_done(), limit);
    world.loop.run(clients.stop());
  }

  RegistryWorld world;
  std::map<std::string, std::uint64_t> counts;
  std::vector<std::string> faults;

 private:
  net::Task<void> until_done() {
    while (clients_done_ < kClients) {
      const bool awake = co_await net::sleep_for(std::chrono::milliseconds(20));
      if (!awake) co_return;
    }
  }

  int roll(int sides) { return static_cast<int>(random_() % static_cast<std::uint64_t>(sides)); }
  std::string some_repository() { return "team/r" + std::to_string(roll(kRepositories)); }
  std::string some_blob() {
    const int n = roll(kBlobs);
    return "blob " + std::to_string(n) + std::string(static_cast<std::size_t>(n) * 200, '.');
  }

  net::Task<Answer> ask(std::string method, std::string target, std::string body,
                        std::string type) {
    net::HttpRequest request;
    request.method = std::move(method);
    request.url = http::Url{false, "127.0.0.1", world.port, std::move(target)};
    std::string scope;
    for (int i = 0; i < kRepositories; ++i) {
      scope += (i > 0 ? " repository:team/r" : "repository:team/r") + std::to_string(i) + ":*";
    }
    if (tokens_used_++ % 2000 == 0) token_ = world.token("ann", scope);
    request.headers.add("Authorization", "Bearer " + token_);
    if (!type.empty()) request.headers.add("Content-Type", type);
    request.body = std::move(body);
    const auto deadline = Deadline::at(std::chrono::steady_clock::now() + std::chrono::seconds(60));
    auto response = co_await client_->send(std::move(request), deadline);
    if (!response) co_return Answer{0, {}, response.error().text()};
    Answer answer{(*response)->status(), (*response)->head().headers, {}};
    auto read = co_await (*response)->read_all(1024 * 1024);
    if (read) answer.body = std::move(*read);
    co_return answer;
  }

  void fault(const std::string& what, const Answer& answer) {
    if (faults.size() < 20)
      faults.push_back(what + ": " + std::to_string(answer.status) + " " + answer.body);
    ++counts["faults"];
  }

  net::Task<void> client() {
    while (left_ > 0) {
      --left_;
      const int what = roll(100);
      if (what < 45) {
        co_await push();
      } else if (what < 75) {
        co_await pull();
      } else if (what < 90) {
        co_await remove(false);
      } else {
        co_await remove(true);
      }
    }
    ++clients_done_;
  }

  /// As clients do: ask for each blob, mount or upload what is missing, then the manifest.
  net::Task<void> push() {
    ++counts["push"];
    const std::string repository = some_repository();
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::string> blobs;
    for (int i = 0; i < 3; ++i) {
      const std::string blob = some_blob();
      const bool there = co_await ensure_blob(repository, blob);
      if (!there) co_return;
      blobs.push_back(test::digest_of(blob));
    }
    std::string body = RegistryWorld::image(blobs[0], blobs[1]);
    const std::string more =
        R"(,{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")" + blobs[2] +
        R"(","size":4}]})";
    body.replace(body.size() - 2, 2, more);
    const std::string tag = "t" + std::to_string(roll(8));
    const std::string target = "/v2/" + repository + "/manifests/" + tag;
    Answer put = co_await ask("PUT", target, body, "application/vnd.oci.image.manifest.v1+json");
    if (put.status == 201) {
      ++counts["pushed"];
    } else if (std::chrono::steady_clock::now() - began < kPushTime) {
      fault("manifest of a live push refused", put);
    } else {
      ++counts["push too slow for the lease"];
    }
  }

  net::Task<bool> ensure_blob(std::string repository, std::string blob) {
    const std::string digest = test::digest_of(blob);
    Answer head = co_await ask("HEAD", "/v2/" + repository + "/blobs/" + digest, "", "");
    if (head.status == 200) co_return true;
    const std::string uploads = "/v2/" + repository + "/blobs/uploads/";
    std::string begin = uploads;
    if (roll(2) == 0) begin += "?mount=" + digest + "&from=" + some_repository();
    Answer begun = co_await ask("POST", begin, "", "");
    if (begun.status == 201) {
      ++counts["mounted"];
      co_return true;
    }
    if (begun.status != 202) {
      fault("upload not begun", begun);
      co_return false;
    }
    const std::string target = begun.header("Location") + "?digest=" + digest;
    Answer done = co_await ask("PUT", target, blob, "");
    if (done.status != 201) {
      fault("upload refused", done);
      co_return false;
    }
    ++counts["uploaded"];
    co_return true;
  }

  net::Task<void> pull() {
    ++counts["pull"];
    const std::string repository = some_repository();
    const std::string base = "/v2/" + repository;
    Answer manifest = co_await ask("GET", base + "/manifests/t" + std::to_string(roll(8)), "", "");
    if (manifest.status != 200) co_return;
    const std::string by_digest = base + "/manifests/" + manifest.header("Docker-Content-Digest");
    for (std::size_t at = manifest.body.find("sha256:"); at != std::string::npos;
         at = manifest.body.find("sha256:", at + 1)) {
      const std::string digest = manifest.body.substr(at, 71);
      Answer blob = co_await ask("GET", base + "/blobs/" + digest, "", "");
      if (blob.status == 200 && test::digest_of(blob.body) == digest) continue;
      // It may go with its manifest, but not before it.
      Answer still = co_await ask("GET", by_digest, "", "");
      if (still.status == 200) fault("blob of a stored manifest", blob);
      co_return;
    }
    ++counts["pulled"];
  }

  net::Task<void> remove(bool whole) {
    ++counts["delete"];
    const std::string base = "/v2/" + some_repository() + "/manifests/";
    std::string reference = "t" + std::to_string(roll(8));
    if (whole) {
      Answer head = co_await ask("HEAD", base + reference, "", "");
      if (head.status != 200) co_return;
      reference = head.header("Docker-Content-Digest");
    }
    Answer done = co_await ask("DELETE", base + reference, "", "");
    if (done.status != 202 && done.status != 404) fault("deletion", done);
  }

  std::shared_ptr<net::HttpClient> client_;
  std::mt19937_64 random_;
  std::uint64_t left_ = 0;
  int clients_done_ = 0;
  std::uint64_t tokens_used_ = 0;
  std::string token_;
};

TEST(RegistrySoak, NoBlobOfALiveClientIsEverUnknown) {
  const std::uint64_t events = number_from("CONVOY_SOAK_EVENTS", 2000);
  const std::uint64_t seed = number_from("CONVOY_SOAK_SEED", 1);
  Soak soak(seed);
  soak.run(events);
  for (const auto& fault : soak.faults) ADD_FAILURE() << fault;
  EXPECT_GT(soak.counts["pushed"], 0u);
  EXPECT_GT(soak.counts["pulled"], 0u);
  const auto audit = soak.world.audit.count("gc.finish");
  EXPECT_GT(audit, 0u);
  EXPECT_EQ(soak.world.audit.count("blob.quarantine"), 0u);

  // What is left fits together: each manifest's blobs are stored, and after a last collection
  // without a lease nothing is stored that no repository holds.
  soak.world.stop();
  auto stores = open_stores(soak.world.dir / "registry", soak.world.clock).value();
  DigestGate gate;
  const ProjectBook none({});
  Collector last(*stores.blobs, *stores.meta, gate, none, soak.world.clock,
                 {Duration::zero(), std::chrono::nanoseconds(1)}, false);
  Result<bool> more = true;
  while (more && *more) more = last.step();
  ASSERT_TRUE(more.ok());
  std::uint64_t stored = 0;
  for (unsigned b = 0; b < storage::BlobStore::kBuckets; ++b) {
    const auto bucket = stores.blobs->list(b).value();
    for (const auto& blob : bucket) {
      ++stored;
      EXPECT_TRUE(stores.meta->upkeep().linked(blob.digest).value()) << blob.digest.str();
    }
  }
  EXPECT_EQ(stored, stores.meta->upkeep().use().value().blobs);
  std::printf("soak: %llu events, seed %llu, %zu collections, %llu blobs at the end;",
              static_cast<unsigned long long>(events), static_cast<unsigned long long>(seed), audit,
              static_cast<unsigned long long>(stored));
  for (const auto& [what, n] : soak.counts) {
    std::printf(" %s %llu", what.c_str(), static_cast<unsigned long long>(n));
  }
  std::printf("\n");
}

}  // namespace
}  // namespace convoy::registry
