#include "demo/demo.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "demo/cluster.hpp"
#include "demo/files.hpp"
#include "demo/http_get.hpp"
#include "demo/image.hpp"
#include "demo/intruders.hpp"
#include "demo/progress.hpp"
#include "demo/pulls.hpp"
#include "demo/report.hpp"
#include "wire/json.hpp"

namespace convoy::demo {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kSecondImageBytes = 16 << 20;
constexpr const char* kName = "demo/image:1";
constexpr const char* kSecondName = "demo/second:1";

/// The sum of all series whose line begins so, in the text form of Prometheus.
double sum_of(std::string_view metrics, std::string_view begin) {
  double sum = 0;
  for (std::size_t at = 0; at < metrics.size();) {
    const std::size_t end = std::min(metrics.find('\n', at), metrics.size());
    const auto line = metrics.substr(at, end - at);
    if (line.starts_with(begin)) sum += std::stod(std::string(line.substr(line.rfind(' ') + 1)));
    at = end + 1;
  }
  return sum;
}

/// The demo from its first step to its last; a member for what later steps need.
class Show {
 public:
  explicit Show(const DemoOptions& options) : options_(options), progress_(clock_) {}
  Result<Report> run();

 private:
  Status open_workspace();
  Status make_or_read_image();
  Status start_cluster();
  Status push();
  Status pull_direct();
  Status pull_through_swarm();
  Status send_all_intruders();
  Result<double> pull_all(const std::string& label, bool through_agents);
  Result<BytesFrom> bytes_from() const;
  Result<double> registry_egress() const;
  void remove(const fs::path& p) const {
    std::error_code ignored;
    fs::remove_all(p, ignored);
  }

  const DemoOptions& options_;
  SystemClock clock_;
  SystemRandom random_;
  Progress progress_;
  Report report_;
  std::optional<Workspace> workspace_;
  std::optional<Image> image_, second_;
  std::unique_ptr<DemoCluster> cluster_;
  std::optional<Skopeo> skopeo_;
};

Status Show::open_workspace() {
  // The image, the registry's copy, what skopeo writes, and each agent's cache.
  const std::uint64_t needed = options_.size * (2 + 2 * options_.nodes) + (256 << 20);
  auto made = options_.keep.empty() ? Workspace::make(needed) : Workspace::at(options_.keep);
  if (!made) return std::move(made).error();
  workspace_.emplace(std::move(*made));
  return {};
}

Status Show::make_or_read_image() {
  const fs::path root = workspace_->root();
  progress_.step(options_.image.empty() ? "Making an image" : "Reading the image");
  auto image = options_.image.empty() ? make_image(root / "image", options_.size, random_)
                                      : read_image(options_.image);
  if (!image) return std::move(image).error();
  auto second = make_image(root / "second", kSecondImageBytes, random_);
  if (!second) return std::move(second).error();
  image_ = std::move(*image);
  second_ = std::move(*second);
  report_.image_bytes = image_->bytes;
  progress_.done(fmt::format("{} blobs, {:.1f} MiB", image_->blobs.size(),
                             static_cast<double>(image_->bytes) / (1 << 20)));
  return {};
}

Status Show::start_cluster() {
  progress_.step(fmt::format("Starting registry, tracker, {} agents", options_.nodes));
  auto cluster =
      DemoCluster::start({workspace_->root(), options_.nodes, options_.uplink}, clock_, random_);
  if (!cluster) return std::move(cluster).error();
  cluster_ = std::move(*cluster);
  auto skopeo = Skopeo::make(workspace_->root() / "skopeo", *cluster_);
  if (!skopeo) return std::move(skopeo).error();
  skopeo_.emplace(std::move(*skopeo));
  progress_.done("each a process of its own");
  return {};
}

Status Show::push() {
  progress_.step("Pushing");
  if (auto done = skopeo_->push(*image_, kName); !done) return done;
  if (auto done = skopeo_->push(*second_, kSecondName); !done) return done;
  progress_.done();
  return {};
}

Result<double> Show::pull_all(const std::string& label, bool through_agents) {
  std::vector<Skopeo::Pull> pulls;
  for (unsigned i = 0; i < options_.nodes; ++i) {
    pulls.push_back({kName, workspace_->root() / fmt::format("{}-{}", label, i + 1),
                     through_agents ? &cluster_->agents()[i] : nullptr});
  }
  return skopeo_->pull(pulls, clock_, [this] { progress_.update("…"); });
}

Status Show::pull_direct() {
  progress_.step(fmt::format("{} nodes, straight from the registry", options_.nodes));
  auto seconds = pull_all("direct", false);
  if (!seconds) return std::move(seconds).error();
  report_.direct_seconds = *seconds;
  progress_.done();
  for (unsigned i = 1; i <= options_.nodes; ++i)
    remove(workspace_->root() / fmt::format("direct-{}", i));
  return {};
}

Status Show::pull_through_swarm() {
  progress_.step(fmt::format("{} nodes, through their agents", options_.nodes));
  auto before = registry_egress();
  if (!before) return std::move(before).error();
  auto seconds = pull_all("swarm", true);
  if (!seconds) return std::move(seconds).error();
  auto after = registry_egress();
  if (!after) return std::move(after).error();
  progress_.done();
  report_.swarm_seconds = *seconds;
  report_.origin_egress_copies = (*after - *before) / static_cast<double>(image_->bytes);
  auto from = bytes_from();
  if (!from) return std::move(from).error();
  report_.bytes_from = *from;

  progress_.step("Verifying every blob on every node");
  for (unsigned i = 1; i <= options_.nodes; ++i) {
    const auto target = workspace_->root() / fmt::format("swarm-{}", i);
    report_.blobs_verified += verified_blobs(*image_, target);
    report_.blobs_total += image_->blobs.size();
    remove(target);
  }
  progress_.done(fmt::format("{} of {}", report_.blobs_verified, report_.blobs_total));
  return {};
}

Result<BytesFrom> Show::bytes_from() const {
  BytesFrom sum;
  for (const auto& agent : cluster_->agents()) {
    auto text = http_get(agent.ops, "/convoy/v1/status", clock_);
    if (!text) return std::move(text).error();
    auto object = wire::parse_json_object(*text);
    if (!object) return std::move(object).error();
    const auto* pulls = object->if_contains("pulls");
    if (pulls == nullptr || !pulls->is_array()) return internal_error("status_invalid");
    for (const auto& entry : pulls->as_array()) {
      const auto& bytes = entry.as_object().at("bytes").as_object();
      const auto add = [&](std::uint64_t& to, const char* key) {
        to += static_cast<std::uint64_t>(wire::json_int(bytes, key).value_or(0));
      };
      add(sum.peers, "peers");
      add(sum.origin, "origin");
      add(sum.cache, "cache");
      add(sum.registry, "registry");
    }
  }
  return sum;
}

Result<double> Show::registry_egress() const {
  auto text = http_get(cluster_->registry_ops(), "/metrics", clock_);
  if (!text) return std::move(text).error();
  // What answers and seeding gave out.
  return sum_of(*text, "convoy_registry_sent_bytes_total{") +
         sum_of(*text, "convoy_swarm_bytes_total{source=\"self\"}");
}

Status Show::send_all_intruders() {
  progress_.step("Sending intruders");
  const auto& agents = cluster_->agents();
  http::Url mirror;
  mirror.tls = false;
  mirror.host = agents.front().mirror.ip;
  mirror.port = agents.front().mirror.port;
  const auto user = [&](std::string_view name) {
    return clients::RegistryCredential{std::string(name), cluster_->password()};
  };
  auto ca = cluster_->stolen("ca");
  if (!ca) return std::move(ca).error();
  auto ticket = cluster_->stolen("ticket");
  if (!ticket) return std::move(ticket).error();
  const fs::path target = workspace_->root() / "second-pull";
  Ground ground{cluster_->site(),
                *oci::RepoName::parse("demo/image"),
                image_->largest(),
                image_->blobs.front(),
                agents.front().peer,
                mirror,
                user(DemoCluster::kUser),
                user(DemoCluster::kStranger),
                *ca,
                *ticket,
                std::string(DemoCluster::kTrustDomain),
                std::string(DemoCluster::kCluster),
                cluster_->audit_files(),
                *oci::RepoName::parse("demo/second"),
                second_->largest().digest,
                {}};
  ground.pull_second = [&] {
    auto seconds = skopeo_->pull({{kSecondName, target, &agents.back()}}, clock_, [] {});
    return seconds && verified_blobs(*second_, target) == second_->blobs.size();
  };
  auto outcomes = send_intruders(ground, clock_, random_,
                                 [this](const std::string& who) { progress_.update(who); });
  if (!outcomes) return std::move(outcomes).error();
  report_.intruders = std::move(*outcomes);
  progress_.done(fmt::format("{} of them", report_.intruders.size()));
  return {};
}

Result<Report> Show::run() {
  report_.nodes = options_.nodes;
  report_.uplink = options_.uplink;
  for (const auto step :
       {&Show::open_workspace, &Show::make_or_read_image, &Show::start_cluster, &Show::push,
        &Show::pull_direct, &Show::pull_through_swarm, &Show::send_all_intruders}) {
    if (auto done = (this->*step)(); !done) return std::move(done).error();
  }
  return report_;
}

}  // namespace
}  // namespace convoy::demo

namespace convoy {

int run_demo(const DemoOptions& options) {
  auto report = demo::Show(options).run();
  if (!report) {
    fmt::print(stderr, "\n  The demo could not be finished: {}\n", report.error().text());
    return 1;
  }
  if (options.json) {
    fmt::print("{}\n", demo::to_json(*report));
  } else {
    fmt::print("{}", demo::to_table(*report));
  }
  for (const auto& fault : report->faults()) {
    if (options.json) fmt::print(stderr, "  {}\n", fault);
  }
  return report->faults().empty() ? 0 : 1;
}

}  // namespace convoy
