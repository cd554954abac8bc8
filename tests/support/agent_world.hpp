#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "base/clock.hpp"
#include "clients/tracker/memory_tracker_client.hpp"
#include "crypto/hash.hpp"
#include "crypto/password.hpp"
#include "net/http_client.hpp"
#include "net/worker_pool.hpp"
#include "security/audit/audit.hpp"
#include "support/agent_fake_registry.hpp"
#include "support/agent_fake_swarm.hpp"
#include "support/agent_small_disk.hpp"
#include "support/net_loop.hpp"
#include "support/pki.hpp"
#include "support/storage_dir.hpp"
#include "support/text_log.hpp"
#include "wire/bt/merkle.hpp"

namespace convoy::test {

/// The machine's time, which a test may go ahead of.
class AheadClock final : public Clock {
 public:
  UnixTime wall() const override { return real_.wall(); }
  SteadyTime steady() const override { return real_.steady() + ahead_.load(); }
  void advance(std::chrono::seconds by) { ahead_ = ahead_.load() + by; }

 private:
  SystemClock real_;
  std::atomic<std::chrono::seconds> ahead_{std::chrono::seconds(0)};
};

struct Got {
  int status = 0;
  http::Headers headers;
  std::string body;
  bool cut = false;  ///< the connection ended before the message did
};

/// One agent between a fake registry, a scripted tracker and a scripted swarm.
class AgentWorld {
 public:
  AgentWorld()
      : cluster(clock),
        keys(clock, "registry.test"),
        registry(loop),
        tracker(std::make_shared<clients::MemoryTrackerClient>()),
        engine(std::make_shared<FakeEngine>(loop.executor())) {
    options.data_dir = dir.path() + "/data";
    options.node_name = "node-1";
    options.tracker_url = "https://127.0.0.1:1";
    options.join_token = Secret("cvj_canary-join-token");
    options.mirror_listen = {"127.0.0.1", 0};
    options.proxy_listen = {"127.0.0.1", 0};
    options.small_blob_limit = 1024;
    options.swarm_stall = std::chrono::milliseconds(200);
    options.registries.push_back(plain_registry("registry.test", registry.base(), true));
    tracker->on_enrol = [this](const clients::EnrolRequest& r) { return enrol(r.csr_pem); };
    tracker->on_renew = [this](const std::string& csr) { return enrol(csr); };
    tracker->on_ticket = [this](const clients::TicketRequest& r) { return grant(r); };
  }
  ~AgentWorld() { stop(); }

  Result<std::unique_ptr<agent::AgentService>> make() {
    agent::AgentSeams seams;
    seams.make_tracker = [this](const std::optional<net::TlsIdentity>& identity)
        -> Result<std::shared_ptr<clients::TrackerClient>> {
      shown.push_back(identity ? identity->chain_pem : std::string());
      return std::shared_ptr<clients::TrackerClient>(tracker);
    };
    seams.make_engine =
        [this](swarm::EngineOptions made) -> Result<std::shared_ptr<swarm::Engine>> {
      engine_options.push_back(made);
      if (real_engine) {
        auto real = swarm::Engine::make(loop.executor(), pool, std::move(made), clock, random,
                                        audit, *metrics, Logger(log, clock, "swarm"));
        if (!real) return std::move(real).error();
        return std::shared_ptr<swarm::Engine>(std::move(*real));
      }
      return std::shared_ptr<swarm::Engine>(engine);
    };
    if (disk_room) {
      seams.open_cache = [room = *disk_room](const std::string& root, std::uint64_t page_cache)
          -> Result<std::unique_ptr<storage::CacheStore>> {
        auto store = storage::open_cache_store(root, page_cache);
        if (!store) return std::move(store).error();
        return std::unique_ptr<storage::CacheStore>(
            std::make_unique<SmallDisk>(std::move(*store), room));
      };
    }
    return agent::Agent::make(loop.executor(), pool, options, clock, random, audit, metrics,
                              Logger(log, clock, "agent", LogLevel::debug), std::move(seams));
  }
  /// Starts the agent and waits until it is enrolled (unless the tracker will not have it).
  void start(bool enrolled = true) {
    agent = std::move(make()).value();
    if (!loop.run(agent->start())) std::abort();
    while (enrolled && agent->not_ready()) loop.run(pause());
  }
  void stop() {
    if (agent) loop.run(agent->stop(std::chrono::milliseconds(100)));
    agent.reset();
  }
  void restart() {
    stop();
    engine = std::make_shared<FakeEngine>(loop.executor());
    start();
  }
  void pump(std::chrono::milliseconds time = std::chrono::milliseconds(20)) {
    loop.run(pause(time));
  }
  template <class Condition>
  bool until(Condition condition) {
    for (int i = 0; i < 400 && !condition(); ++i) loop.run(pause());
    return condition();
  }

  /// A blob in the registry and, as what peers hold, in the swarm.
  oci::Digest blob(std::size_t size, std::uint64_t seed = 1) {
    SeededRandom bytes(seed);
    content.resize(size);
    bytes.fill(content);
    engine->truth = content;
    return registry.add(content);
  }
  /// Whether anything lies in the cache that is not complete.
  bool has_partial() const {
    return !std::filesystem::is_empty(options.data_dir + "/cache/partial");
  }
  std::string text() const { return std::string(as_text(content)); }
  bt::BlobMeta meta_of(const oci::Digest& digest, const Bytes& bytes) const {
    crypto::MerkleLeaves leaves;
    leaves.update(bytes);
    const auto hashes = leaves.finish();
    return {.digest = digest,
            .size = bytes.size(),
            .piece_length = bt::choose_piece_length(bytes.size()),
            .pieces_root = bt::root_of_leaves(hashes, crypto::sha256_pair)};
  }

  net::HttpRequest request(const std::string& method, const std::string& target) const {
    net::HttpRequest out;
    out.method = method;
    out.url = {false, "127.0.0.1", agent->mirror_endpoint().port, target};
    return out;
  }
  static std::string blob_target(const oci::Digest& digest) {
    return "/v2/team/app/blobs/" + digest.str();
  }
  net::HttpRequest blob_request(const oci::Digest& digest, const std::string& range = {}) const {
    auto out = request("GET", blob_target(digest));
    if (!range.empty()) out.headers.add("Range", range);
    return out;
  }
  net::Task<Got> fetch(net::HttpRequest request) {
    net::HttpClient client(loop.executor(), {});
    auto response = co_await client.send(
        std::move(request),
        Deadline::at(std::chrono::steady_clock::now() + std::chrono::seconds(30)));
    Got got;
    if (!response) {
      got.cut = true;
      co_return got;
    }
    got.status = (*response)->status();
    got.headers = (*response)->head().headers;
    Bytes buffer(64 * 1024);
    for (;;) {
      auto n = co_await (*response)->read_body(buffer);
      got.cut = !n;
      if (!n || *n == 0) break;
      got.body.append(as_text(ByteView(buffer).first(*n)));
    }
    co_return got;
  }
  Got get(net::HttpRequest request) { return loop.run(fetch(std::move(request))); }
  /// Starts it and lets it go on while the test does other things.
  std::shared_ptr<std::optional<Got>> begin(net::HttpRequest request) {
    auto slot = std::make_shared<std::optional<Got>>();
    running->spawn([this, slot, request = std::move(request)]() -> net::Task<void> {
      *slot = co_await fetch(request);
    });
    return slot;
  }

  AheadClock clock;
  SystemRandom random;
  Loop loop;
  Tasks running{loop};
  net::WorkerPool pool{2};
  TempDir dir;
  TestCluster cluster;
  TestRegistryKeys keys;
  FakeRegistry registry;
  std::shared_ptr<clients::MemoryTrackerClient> tracker;
  std::shared_ptr<FakeEngine> engine;
  security::MemoryAuditLog audit;
  std::shared_ptr<net::Metrics> metrics = std::make_shared<net::Metrics>();
  std::shared_ptr<TextLog> log = std::make_shared<TextLog>();
  agent::AgentOptions options;
  std::unique_ptr<agent::AgentService> agent;
  Bytes content;
  std::chrono::seconds node_life = security::kDefaultNodeLifetime;
  std::vector<std::string> shown;  ///< certificate chains that tracker clients were made with
  std::vector<swarm::EngineOptions> engine_options;
  bool real_engine = false;
  std::optional<std::int64_t> disk_room;                 ///< bytes; none: the real disk
  std::optional<crypto::Certificate> certificate;        ///< the node's
  std::vector<std::string> in_cluster{"registry.test"};  ///< registries, all with the same keys
  bool peers_known = true;                               ///< the tracker hands out a peer

 private:
  static net::Task<void> pause(std::chrono::milliseconds time = std::chrono::milliseconds(5)) {
    co_await net::sleep_for(time);
  }

  Result<clients::Enrolment> enrol(const std::string& csr) {
    const auto key = crypto::csr_public_key(csr);
    if (!key) return key.error();
    const auto id = security::SpiffeId::parse("spiffe://example.org/cluster/c1/node/node-1");
    const auto issued = cluster.authority.issue_node(*id, *key, node_life);
    if (!issued) return issued.error();
    certificate = issued->certificate;
    clients::Enrolment enrolment{.id = id->str(),
                                 .chain_pem = issued->chain_pem,
                                 .root_pem = cluster.pki.root.chain_pem,
                                 .cluster = "c1",
                                 .trust_domain = "example.org",
                                 .registries = {}};
    for (const auto& host : in_cluster) {
      enrolment.registries.push_back({host, keys.issuer, keys.ca.pem()});
    }
    return enrolment;
  }

 public:
  Result<clients::TicketReply> grant(const clients::TicketRequest& request) {
    const auto it = registry.blobs.find(request.digest.str());
    if (it == registry.blobs.end()) return not_found("blob_unknown");
    const auto meta = meta_of(request.digest, content);
    clients::TicketReply reply;
    reply.ticket = "ticket";
    reply.expires_in = std::chrono::seconds(600);
    reply.metadata = keys.metadata().sign(meta);
    reply.info_hash = to_hex(crypto::sha256(bt::encode_info(meta, cluster.pki.root.chain_pem)));
    if (peers_known) reply.peers.push_back({{"127.0.0.1", 9}, false});
    return reply;
  }
};

}  // namespace convoy::test
