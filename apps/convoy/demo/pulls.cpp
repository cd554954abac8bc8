#include "demo/pulls.hpp"

#include <fmt/format.h>
#include <fstream>
#include <thread>

#include "crypto/hash.hpp"
#include "demo/files.hpp"
#include "demo/process.hpp"

namespace convoy::demo {
namespace fs = std::filesystem;
namespace {

constexpr auto kPoll = std::chrono::milliseconds(20);

Status succeeded(Process& process, const std::string& what) {
  while (!process.poll()) std::this_thread::sleep_for(kPoll);
  if (*process.poll() == 0) return {};
  return unavailable("skopeo_failed", what + ":\n" + log_tail(process.log()));
}

bool verified(const ImageBlob& blob, const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return false;
  const auto hasher = crypto::make_hasher(blob.digest.algorithm());
  std::vector<char> chunk(1 << 20);
  while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || in.gcount() > 0) {
    hasher->update(as_bytes({chunk.data(), static_cast<std::size_t>(in.gcount())}));
  }
  const Bytes hash = hasher->finish();
  return oci::Digest::of(blob.digest.algorithm(), hash) == blob.digest;
}

}  // namespace

Result<Skopeo> Skopeo::make(const fs::path& dir, const DemoCluster& cluster) {
  std::error_code ec;
  fs::create_directories(dir / "certs", ec);
  fs::copy_file(cluster.ca_file(), dir / "certs" / "ca.crt", ec);
  if (ec) return internal_error("workspace", ec.message());
  const std::string pair = fmt::format("{}:{}", DemoCluster::kUser, cluster.password().reveal());
  const auto auth = fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", cluster.registry_host(),
                                to_base64(as_bytes(pair)));
  if (auto done = write_file(dir / "auth.json", auth); !done) return std::move(done).error();
  auto probe = Process::start({{"skopeo", "--version"}, dir / "log", {}});
  if (!probe) return std::move(probe).error();
  if (auto there = succeeded(*probe, "skopeo --version"); !there) {
    return unavailable("skopeo_missing", "the demo pulls with skopeo: apt-get install skopeo");
  }
  return Skopeo(dir, cluster.registry_host());
}

Status Skopeo::push(const Image& image, const std::string& name) const {
  std::string source = "oci:" + image.layout.string();
  if (!image.tag.empty()) source += ":" + image.tag;
  auto process =
      Process::start({{"skopeo", "--insecure-policy", "copy", "--quiet", "--dest-cert-dir",
                       (dir_ / "certs").string(), "--dest-authfile", (dir_ / "auth.json").string(),
                       source, "docker://" + host_ + "/" + name},
                      dir_ / "push.log",
                      {}});
  if (!process) return std::move(process).error();
  return succeeded(*process, "pushing " + name);
}

std::vector<std::string> Skopeo::pull_argv(const Pull& pull, const fs::path& conf) const {
  std::vector<std::string> argv{"skopeo", "--insecure-policy"};
  if (pull.through != nullptr) argv.insert(argv.end(), {"--registries-conf", conf.string()});
  argv.insert(argv.end(), {"copy", "--quiet", "--src-cert-dir", (dir_ / "certs").string(),
                           "--src-authfile", (dir_ / "auth.json").string(),
                           "docker://" + host_ + "/" + pull.name, "dir:" + pull.target.string()});
  return argv;
}

Result<double> Skopeo::pull(const std::vector<Pull>& pulls, const Clock& clock,
                            const std::function<void()>& tick) const {
  std::vector<Process> running;
  const SteadyTime start = clock.steady();
  for (const Pull& pull : pulls) {
    const fs::path conf = pull.target.string() + ".conf";
    if (pull.through != nullptr) {
      const auto text = fmt::format(
          "[[registry]]\nlocation = \"{}\"\n[[registry.mirror]]\nlocation = \"{}\"\ninsecure = "
          "true\n",
          host_, pull.through->mirror.str());
      if (auto done = write_file(conf, text); !done) return std::move(done).error();
    }
    auto process = Process::start({pull_argv(pull, conf), pull.target.string() + ".log", {}});
    if (!process) return std::move(process).error();
    running.push_back(std::move(*process));
  }
  for (bool all = false; !all; std::this_thread::sleep_for(kPoll)) {
    all = true;
    for (auto& process : running) all = process.poll().has_value() && all;
    tick();
  }
  const std::chrono::duration<double> seconds = clock.steady() - start;
  for (auto& process : running) {
    if (auto done = succeeded(process, "pulling"); !done) return std::move(done).error();
  }
  return seconds.count();
}

std::uint64_t verified_blobs(const Image& image, const fs::path& target) {
  std::uint64_t good = 0;
  for (const auto& blob : image.blobs) good += verified(blob, target / blob.digest.hex()) ? 1 : 0;
  return good;
}

}  // namespace convoy::demo
