#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/files.hpp"
#include "cli/pki_folder.hpp"
#include "support/apps_folder.hpp"
#include "wiring/load_options.hpp"

namespace convoy::wiring {
namespace {

using test::Folder;
using testing::HasSubstr;
using testing::Not;

/// The folders of `convoy pki init`, with tokens in place.
class Loader : public testing::Test {
 protected:
  void SetUp() override {
    SystemClock clock;
    SystemRandom random;
    const cli::PkiPlan plan{
        pki(""), "c1", "example.org", {"127.0.0.1", 5000, {}}, {"127.0.0.1", 5443, {}}};
    ASSERT_TRUE(cli::create_pki_folder(plan, clock, random));
    put("registry/join-token", "cvj_registry", 0600);
    put("agent/join-token", "cvj_agent\n", 0600);
  }

  std::string pki(const std::string& name) const {
    return folder_ / ("pki" + (name.empty() ? "" : "/" + name));
  }
  void put(const std::string& name, std::string_view text, unsigned mode) {
    ASSERT_TRUE(cli::write_file(pki(name), text, mode));
  }
  std::string replaced(const std::string& file, const std::string& what, const std::string& by) {
    std::string text = cli::read_file(pki(file)).value_or("");
    return text.replace(text.find(what), what.size(), by);
  }

  std::string registry_faults() {
    config::RegistryFile file;
    config::Faults faults =
        config::parse_registry(*cli::read_file(pki("registry/registry.toml")), file);
    EXPECT_EQ(config::to_text(faults, "f"), "");
    registry_ = load_registry(file.registry, pki("registry"), faults);
    EXPECT_EQ(registry_.has_value(), faults.empty());
    return config::to_text(faults, "registry.toml");
  }
  std::string tracker_faults() {
    config::TrackerFile file;
    config::Faults faults =
        config::parse_tracker(*cli::read_file(pki("tracker/tracker.toml")), file);
    tracker_ = load_tracker(file.tracker, pki("tracker"), faults);
    return config::to_text(faults, "tracker.toml");
  }
  std::string agent_faults(const std::string& text) {
    config::AgentFile file;
    config::Faults faults = config::parse_agent(text, file);
    EXPECT_EQ(config::to_text(faults, "f"), "");
    agent_ = load_agent(file.agent, pki("agent"), faults);
    return config::to_text(faults, "agent.toml");
  }

  Folder folder_;
  std::optional<registry::RegistryOptions> registry_;
  std::optional<tracker::TrackerOptions> tracker_;
  std::optional<agent::AgentOptions> agent_;
};

TEST_F(Loader, TakesWhatPkiInitMade) {
  EXPECT_EQ(registry_faults(), "");
  ASSERT_TRUE(registry_);
  EXPECT_EQ(registry_->data_dir, pki("registry/data"));
  EXPECT_TRUE(registry_->tls);
  EXPECT_EQ(registry_->clusters.at(0).join_token.reveal(), "cvj_registry");
  EXPECT_EQ(tracker_faults(), "");
  ASSERT_TRUE(tracker_);
  EXPECT_EQ(tracker_->registries.at(0).host, "127.0.0.1:5000");
  EXPECT_EQ(agent_faults(*cli::read_file(pki("agent/agent.toml"))), "");
  ASSERT_TRUE(agent_);
  EXPECT_EQ(agent_->join_token.reveal(), "cvj_agent");
  EXPECT_EQ(agent_->tracker_url, "https://127.0.0.1:5443");
}

TEST_F(Loader, NamesEveryFileThatIsMissing) {
  for (const char* file :
       {"registry/token.pem", "registry/metadata.key", "registry/cluster-root.pem"}) {
    std::filesystem::remove(pki(file));
  }
  const std::string text = registry_faults();
  EXPECT_THAT(text,
              HasSubstr("registry.tokens.cert_file: cannot be read: " + pki("registry/token.pem")));
  EXPECT_THAT(text, HasSubstr("registry.metadata.key_file: cannot be read"));
  EXPECT_THAT(text, HasSubstr("registry.cluster[1].roots_file: cannot be read"));
  EXPECT_FALSE(registry_);
}

TEST_F(Loader, RefusesAKeyThatEverybodyMayRead) {
  std::filesystem::permissions(pki("tracker/ca.key"), std::filesystem::perms(0644));
  const std::string text = tracker_faults();
  EXPECT_THAT(text, HasSubstr("tracker.ca.key_file: can be read by everybody"));
  EXPECT_THAT(text, HasSubstr("chmod 600"));
  // A group of its own, as Kubernetes' fsGroup makes it, is all right.
  std::filesystem::permissions(pki("tracker/ca.key"), std::filesystem::perms(0640));
  EXPECT_EQ(tracker_faults(), "");
}

TEST_F(Loader, RefusesAKeyOfAnotherCertificate) {
  const std::string other = *cli::read_file(pki("registry/metadata.key"));
  put("registry/token.key", other, 0600);
  put("registry/server.key", other, 0600);
  const std::string text = registry_faults();
  EXPECT_THAT(text, HasSubstr("registry.tokens: does not fit together"));
  EXPECT_THAT(text, HasSubstr("registry.tls: does not fit together"));
}

TEST_F(Loader, AWebhookNeedsASecretThatIsLongEnoughAndPrivate) {
  std::string text = *cli::read_file(pki("registry/registry.toml"));
  text +=
      "\n[[registry.webhook]]\nname = \"ci\"\nurl = \"https://ci.example/hook\"\n"
      "events = [\"pull\"]\nsecret_file = \"./hook-secret\"\n";
  put("registry/registry.toml", text, 0644);
  EXPECT_THAT(registry_faults(), HasSubstr("registry.webhook[1].secret_file: cannot be read"));
  put("registry/hook-secret", "canary-45678901\n", 0600);
  EXPECT_THAT(registry_faults(), HasSubstr("fewer than 16 characters"));
  EXPECT_THAT(registry_faults(), Not(HasSubstr("canary")));
  put("registry/hook-secret", "canary-456789012\n", 0644);
  EXPECT_THAT(registry_faults(), HasSubstr("can be read by everybody"));
  std::filesystem::permissions(pki("registry/hook-secret"), std::filesystem::perms(0600));
  EXPECT_EQ(registry_faults(), "");
  const registry::WebhookOptions& hook = registry_->webhooks.at(0);
  EXPECT_EQ(hook.secret.reveal(), "canary-456789012");
  EXPECT_TRUE(hook.pull);
  EXPECT_FALSE(hook.push || hook.remove);
  EXPECT_EQ(hook.url.target, "/hook");
}

TEST_F(Loader, AJoinTokenIsNeededOnlyOnce) {
  std::filesystem::remove(pki("agent/join-token"));
  EXPECT_EQ(agent_faults(*cli::read_file(pki("agent/agent.toml"))), "");
  EXPECT_TRUE(agent_->join_token.empty());
}

TEST_F(Loader, SecretsAreReadFromFileOrEnvironmentAndNeverShown) {
  const std::string with_user =
      replaced("agent/agent.toml", "#user = \"nodes\"\n#password_file = \"./password\"",
               "user = \"nodes\"\npassword_file = \"./password\"");
  EXPECT_THAT(agent_faults(with_user),
              HasSubstr("agent.registry[1].password_file: cannot be read"));
  put("agent/password", "canary-secret\n", 0644);
  const std::string open = agent_faults(with_user);
  EXPECT_THAT(open, HasSubstr("can be read by everybody"));
  EXPECT_THAT(open, Not(HasSubstr("canary")));
  put("agent/password", "canary\nsecret\n", 0600);
  EXPECT_THAT(agent_faults(with_user), Not(HasSubstr("canary")));
  EXPECT_FALSE(agent_);
  put("agent/password", "canary-secret\n", 0600);
  EXPECT_EQ(agent_faults(with_user), "");
  EXPECT_EQ(agent_->registries.at(0).password.reveal(), "canary-secret");

  const std::string by_env =
      replaced("agent/agent.toml", "#user = \"nodes\"\n#password_file = \"./password\"",
               "user = \"nodes\"\npassword_file = \"env:CONVOY_TEST_PASSWORD\"");
  ::unsetenv("CONVOY_TEST_PASSWORD");
  EXPECT_THAT(agent_faults(by_env), HasSubstr("CONVOY_TEST_PASSWORD, which is not set"));
  ::setenv("CONVOY_TEST_PASSWORD", "from-env", 1);
  EXPECT_EQ(agent_faults(by_env), "");
  EXPECT_EQ(agent_->registries.at(0).password.reveal(), "from-env");
  ::unsetenv("CONVOY_TEST_PASSWORD");
}

TEST_F(Loader, UsersMustHaveStrongHashes) {
  put("registry/users", "ann:plaintext-canary\n", 0600);
  const std::string text = registry_faults();
  EXPECT_THAT(text, HasSubstr("registry.users_file"));
  EXPECT_THAT(text, Not(HasSubstr("canary")));
}

TEST_F(Loader, AnEmptyListOfUsersIsNoAuthentication) {
  put("agent/users", "# nobody yet\n", 0600);
  const std::string text =
      *cli::read_file(pki("agent/agent.toml")) + "\n[agent.proxy]\nusers_file = \"users\"\n";
  EXPECT_THAT(agent_faults(text), HasSubstr("agent.proxy.users_file: names no user"));
}

}  // namespace
}  // namespace convoy::wiring
