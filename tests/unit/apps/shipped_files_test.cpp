#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/files.hpp"
#include "config/agent_config.hpp"
#include "config/reference.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"

namespace convoy {
namespace {

std::string source_file(const std::string& path) {
  auto text = cli::read_file(std::string(CONVOY_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(text) << path;
  return text.value_or("");
}

TEST(ShippedFiles, ExampleConfigurationsAreRight) {
  config::RegistryFile registry;
  const std::string registry_file = "deploy/config/registry.toml";
  EXPECT_EQ(
      config::to_text(config::parse_registry(source_file(registry_file), registry), registry_file),
      "");
  config::TrackerFile tracker;
  const std::string tracker_file = "deploy/config/tracker.toml";
  EXPECT_EQ(
      config::to_text(config::parse_tracker(source_file(tracker_file), tracker), tracker_file), "");
  config::AgentFile agent;
  const std::string agent_file = "deploy/config/agent.toml";
  EXPECT_EQ(config::to_text(config::parse_agent(source_file(agent_file), agent), agent_file), "");
}

TEST(ShippedFiles, TheReferenceIsTheDeclarations) {
  // Compared as a whole: neither text is worth printing.
  EXPECT_TRUE(source_file("docs/operations/configuration.md") == config::reference_page())
      << "make it anew: convoy config reference > docs/operations/configuration.md";
}

TEST(ShippedFiles, UnitsAreUnprivileged) {
  for (const char* role : {"registry", "tracker", "agent"}) {
    const std::string unit = source_file("deploy/systemd/convoy-" + std::string(role) + ".service");
    for (const char* line : {"User=convoy\n", "CapabilityBoundingSet=\n", "NoNewPrivileges=yes\n",
                             "ProtectSystem=strict\n", "MemoryDenyWriteExecute=yes\n",
                             "SystemCallFilter=@system-service\n", "ProtectHome=yes\n"}) {
      EXPECT_THAT(unit, testing::HasSubstr(line)) << role;
    }
    EXPECT_THAT(unit, testing::HasSubstr("/etc/convoy/" + std::string(role) + ".toml"));
  }
}

}  // namespace
}  // namespace convoy
