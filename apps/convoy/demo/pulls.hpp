#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "demo/cluster.hpp"
#include "demo/image.hpp"

namespace convoy::demo {

/// skopeo as the user of the demo's cluster.
class Skopeo {
 public:
  /// Writes its trust and credential files below `dir`. Error when skopeo is not installed.
  static Result<Skopeo> make(const std::filesystem::path& dir, const DemoCluster&);

  /// Pushes the layout as `name` ("demo/image:1").
  Status push(const Image&, const std::string& name) const;

  struct Pull {
    std::string name;
    std::filesystem::path target;
    const AgentPlace* through = nullptr;  ///< null: straight from the registry
  };
  /// All at once; the seconds until the last has ended. Calls `tick` now and then.
  Result<double> pull(const std::vector<Pull>&, const Clock&,
                      const std::function<void()>& tick) const;

 private:
  Skopeo(std::filesystem::path dir, std::string host)
      : dir_(std::move(dir)), host_(std::move(host)) {}
  std::vector<std::string> pull_argv(const Pull&, const std::filesystem::path& conf) const;
  std::filesystem::path dir_;
  std::string host_;
};

/// How many blobs of the image stand in a `dir:` target with the digest they must have.
std::uint64_t verified_blobs(const Image&, const std::filesystem::path& target);

}  // namespace convoy::demo
