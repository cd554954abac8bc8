#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/agent_config.hpp"
#include "config/reference.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"
#include "config/users_file.hpp"

namespace convoy::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view kAgent = R"([agent]
data_dir = "/var/lib/convoy"
[agent.tracker]
url = "https://tracker.example:5443"
[[agent.registry]]
host = "registry.example:5000"
url = "https://registry.example:5000"
)";

constexpr std::string_view kRegistry = R"([registry]
data_dir = "/var/lib/convoy"
plain_http = true
[registry.tokens]
cert_file = "t.pem"
key_file = "t.key"
[registry.metadata]
cert_file = "m.pem"
key_file = "m.key"
)";

constexpr std::string_view kTracker = R"([tracker]
cluster = "c"
trust_domain = "td.example"
join_tokens_file = "tokens.json"
[tracker.tls]
cert_file = "s.pem"
key_file = "s.key"
[tracker.ca]
root_file = "root.pem"
cert_file = "i.pem"
key_file = "i.key"
[tracker.tickets]
cert_file = "k.pem"
key_file = "k.key"
[tracker.client]
cert_file = "n.pem"
key_file = "n.key"
[[tracker.registry]]
host = "registry.example:5000"
url = "https://registry.example:5000"
token_roots_file = "token-ca.pem"
)";

Faults agent_faults(std::string_view text) {
  AgentFile out;
  return parse_agent(text, out);
}
Faults registry_faults(std::string_view text) {
  RegistryFile out;
  return parse_registry(text, out);
}
Faults tracker_faults(std::string_view text) {
  TrackerFile out;
  return parse_tracker(text, out);
}
std::string with(std::string_view text, std::string_view more) {
  return std::string(text) + std::string(more);
}
/// The first of `what` replaced.
std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out(text);
  return out.replace(out.find(what), what.size(), by);
}

TEST(Config, MinimalFilesAreWholeAndTakeTheDefaults) {
  AgentFile agent;
  EXPECT_THAT(to_text(parse_agent(kAgent, agent), "f"), IsEmpty());
  EXPECT_EQ(agent.agent.data_dir.text, "/var/lib/convoy");
  EXPECT_EQ(agent.agent.mirror.listen, (Address{"127.0.0.1", 5001}));
  EXPECT_EQ(agent.agent.swarm_stall, std::chrono::seconds(5));
  EXPECT_EQ(agent.ops.listen.port, 9503);
  ASSERT_THAT(agent.agent.registries, SizeIs(1));
  EXPECT_EQ(agent.agent.registries[0].url.url->host, "registry.example");
  EXPECT_THAT(to_text(registry_faults(kRegistry), "f"), IsEmpty());
  EXPECT_THAT(to_text(tracker_faults(kTracker), "f"), IsEmpty());
}

TEST(Config, AnUnknownKeyIsAFaultWithItsLineAndTheNearestKey) {
  const Faults faults = agent_faults(
      replaced(kAgent, "data_dir = \"/var/lib/convoy\"", "data_dir = \"/x\"\nswarm_stal = \"5s\""));
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].line, 3);
  EXPECT_EQ(faults[0].key, "agent.swarm_stal");
  EXPECT_EQ(faults[0].hint, "Did you mean swarm_stall?");
}

TEST(Config, RatesAreUnlimitedUnlessTheyAreGiven) {
  AgentFile silent, agent;
  EXPECT_THAT(parse_agent(kAgent, silent), IsEmpty());
  EXPECT_EQ(silent.agent.rates.download, Rate{0});
  const auto text = with(kAgent, R"([agent.rates]
upload = "50MB/s"
upload_per_peer = "80Mbit/s"
upload_background = "1kB/s"
download = "unlimited"
origin = "2MB/s"
)");
  EXPECT_THAT(to_text(parse_agent(text, agent), "f"), IsEmpty());
  EXPECT_EQ(agent.agent.rates.upload, Rate{50'000'000});
  EXPECT_EQ(agent.agent.rates.upload_per_peer, Rate{10'000'000});
  EXPECT_EQ(agent.agent.rates.upload_background, Rate{1'000});
  EXPECT_EQ(agent.agent.rates.download, Rate{0});
  EXPECT_EQ(agent.agent.rates.origin, Rate{2'000'000});
  const Faults faults = agent_faults(replaced(text, "\"2MB/s\"", "\"2MB\""));
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].key, "agent.rates.origin");
}

TEST(Config, AnUnknownTableIsAFault) {
  const Faults faults = agent_faults(with(kAgent, "[nonsense]\nx = 1\n"));
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].key, "nonsense");
  EXPECT_EQ(faults[0].line, 8);
}

TEST(Config, AnotherRolesTableIsExplained) {
  const Faults faults = agent_faults(with(kAgent, "[registry]\ndata_dir = \"x\"\n"));
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_THAT(faults[0].hint, HasSubstr("convoy registry --config"));
}

TEST(Config, AllFaultsAreReportedAtOnceInOrderOfLines) {
  const Faults faults = agent_faults(R"([log]
level = "loud"
[agent]
data_dir = 7
swarm_stall = "10"
small_blob_limit = "1TB"
nmae = "x"
[agent.tracker]
url = "ftp://tracker"
[agent.mirror]
listen = "localhost:5001"
[[agent.registry]]
url = "https://r.example/path"
)");
  const std::string text = to_text(faults, "agent.toml");
  EXPECT_THAT(faults, SizeIs(9)) << text;
  EXPECT_THAT(text, HasSubstr("agent.toml:2: log.level: must be debug, info, warn, error or off"));
  EXPECT_THAT(text, HasSubstr("agent.toml:4: agent.data_dir: must be a path, not a whole number"));
  EXPECT_THAT(text, HasSubstr("agent.toml:5: agent.swarm_stall: must be a duration"));
  EXPECT_THAT(text, HasSubstr("agent.toml:6: agent.small_blob_limit: must be \"0B\" to \"64MiB\""));
  EXPECT_THAT(text, HasSubstr("agent.toml:7: agent.nmae: is not a key that exists"));
  EXPECT_THAT(text, HasSubstr("agent.toml:9: agent.tracker.url: must be a URL"));
  EXPECT_THAT(text,
              HasSubstr("agent.toml:11: agent.mirror.listen: must be an IP address and a port"));
  EXPECT_THAT(text, HasSubstr("agent.toml:12: agent.registry[1].host: is missing"));
  EXPECT_LT(text.find("agent.toml:2:"), text.find("agent.toml:12:"));
}

TEST(Config, AnEmptyFileNamesEachRequiredKey) {
  const std::string text = to_text(tracker_faults(""), "f");
  for (const char* key :
       {"tracker.cluster", "tracker.trust_domain", "tracker.tls.cert_file", "tracker.ca.root_file",
        "tracker.tickets.key_file", "tracker.client.cert_file"}) {
    EXPECT_THAT(text, HasSubstr(std::string(key) + ": is missing"));
  }
}

TEST(Config, BrokenTomlIsOneFaultWithItsLine) {
  const Faults faults = agent_faults("[agent]\ndata_dir = /var/lib\n");
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].line, 2);
  EXPECT_THAT(faults[0].problem, HasSubstr("not valid TOML"));
}

// Each of these ended the process once: the parser of toml++ finds them by an assertion.
TEST(Config, MistakesThatTheTomlLibraryAssertsAreFaults) {
  for (const char* text :
       {"[= \"x\"\n", "[[=]]\n", "[.a]\n", "[,]\n", "a = {=}\n", "a = {,}\n", "= 1\n"}) {
    EXPECT_THAT(agent_faults(text), SizeIs(1)) << text;
  }
}

TEST(Config, CharactersBeyondAsciiStandInQuotesAndComments) {
  EXPECT_THAT(agent_faults("# Größe\n" + replaced(kAgent, "lib/convoy\"", "größe\" # ä \\\" ä")),
              IsEmpty());
  EXPECT_THAT(agent_faults("\xEF\xBB\xBF" + std::string(kAgent)), IsEmpty());
  AgentFile agent;
  const std::string named = replaced(kAgent, "lib/convoy\"", "größe/€/\xf0\x9f\x9a\x9a\"");
  EXPECT_THAT(parse_agent(named, agent), IsEmpty());
  EXPECT_EQ(agent.agent.data_dir.text, "/var/größe/€/\xf0\x9f\x9a\x9a");
  const Faults bare = agent_faults(with(kAgent, "\n\xc3\xa5##"));
  ASSERT_THAT(bare, SizeIs(1));
  EXPECT_EQ(bare[0].line, 9);
  EXPECT_THAT(agent_faults("a = \"\"\"\\\n\xc3\xa5\"\"\"\n"), SizeIs(1));
  EXPECT_THAT(agent_faults("a = '''\n'''\n"), SizeIs(1));
  // Once behind a mistake, toml++ no longer knows what is in quotes.
  EXPECT_THAT(agent_faults("a.b.g = 6x\x03"
                           "0st\x1a=\"\x03\xd0\x89"),
              SizeIs(1));
  EXPECT_THAT(agent_faults(with(kAgent, "\n[x]\ny = '\xc3\xa5'")), SizeIs(1));
  EXPECT_THAT(agent_faults(with(kAgent, "\n[x]\ny = \"\\\xc3\xa5\"")), SizeIs(1));
  for (const char* bad : {"\xc3", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    const Faults faults = agent_faults(with(kAgent, "\n[x]\ny = \"" + std::string(bad) + "\""));
    ASSERT_THAT(faults, SizeIs(1)) << bad;
    EXPECT_EQ(faults[0].problem, "is not UTF-8");
  }
}

TEST(Config, SizeOfTheFileIsBounded) {
  const std::string comment = "#" + std::string(kMaxConfigBytes - kAgent.size() - 2, 'x') + "\n";
  EXPECT_THAT(agent_faults(comment + std::string(kAgent)), IsEmpty());
  EXPECT_THAT(agent_faults("#" + comment + std::string(kAgent)), SizeIs(1));
}

TEST(Config, NestingThatWouldExhaustTheStackIsRefused) {
  std::string dots = "a";
  for (int i = 0; i < 60'000; ++i) dots += ".a";
  EXPECT_THAT(agent_faults(dots + " = 1\n"), SizeIs(1));
  EXPECT_THAT(agent_faults("[" + dots + "]\n"), SizeIs(1));
  EXPECT_THAT(agent_faults("x = " + std::string(100'000, '[') + "\n"), SizeIs(1));
  EXPECT_THAT(agent_faults("x = " + std::string(100'000, '{') + "\n"), SizeIs(1));
}

TEST(Config, NulAndControlCharactersAreRefused) {
  EXPECT_THAT(agent_faults(std::string_view("a = 1\0", 6)), SizeIs(1));
  const Faults faults = agent_faults(replaced(kAgent, "/var/lib/convoy", "/var\\u0000/lib"));
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_EQ(faults[0].key, "agent.data_dir");
}

struct LimitCase {
  const char* key;
  const char* good_low;
  const char* good_high;
  const char* below;
  const char* above;
};

class TrackerLimit : public testing::TestWithParam<LimitCase> {};

TEST_P(TrackerLimit, HoldsAtTheEdgeAndOnePast) {
  const LimitCase& c = GetParam();
  const auto faults = [&](const char* value) {
    return tracker_faults(replaced(kTracker, "cluster = \"c\"",
                                   "cluster = \"c\"\n" + std::string(c.key) + " = " + value));
  };
  EXPECT_THAT(faults(c.good_low), IsEmpty());
  EXPECT_THAT(faults(c.good_high), IsEmpty());
  EXPECT_THAT(faults(c.below), SizeIs(1));
  EXPECT_THAT(faults(c.above), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, TrackerLimit,
    testing::Values(LimitCase{"ticket_lifetime", "\"60s\"", "\"10m\"", "\"59s\"", "\"601s\""},
                    LimitCase{"node_lifetime", "\"10m\"", "\"7d\"", "\"599s\"", "\"604801s\""},
                    LimitCase{"degree", "4", "50", "3", "51"},
                    LimitCase{"announce_interval", "\"5s\"", "\"10m\"", "\"4s\"", "\"601s\""}),
    [](const auto& param) { return std::string(param.param.key); });

TEST(Config, NegativeNumbersAreRefused) {
  EXPECT_THAT(tracker_faults(replaced(kTracker, "cluster = \"c\"", "cluster = \"c\"\ndegree = -3")),
              SizeIs(1));
}

TEST(Config, NamesOfClustersAreStrict) {
  for (const char* bad : {"", "C", "a_b", "-a", "a-", "a/b", "ä"}) {
    EXPECT_THAT(tracker_faults(replaced(kTracker, "\"c\"", '"' + std::string(bad) + '"')),
                SizeIs(1))
        << bad;
  }
  EXPECT_THAT(tracker_faults(replaced(kTracker, "\"c\"", '"' + std::string(63, 'a') + '"')),
              IsEmpty());
  EXPECT_THAT(tracker_faults(replaced(kTracker, "\"c\"", '"' + std::string(64, 'a') + '"')),
              SizeIs(1));
}

constexpr std::string_view kCanary = "hunter2-canary";

TEST(Secrets, StandInNoFaultWhereverTheyWereWritten) {
  const std::vector<std::string> lines = {
      "user = \"u\"\npassword_file = \"" + std::string(kCanary) + "\"",
      "user = \"u\"\npassword = \"" + std::string(kCanary) + "\"",
      "user = \"u\"\npassword_file = \"env:" + std::string(kCanary) + "\"",
      "user = \"u\"\npassword_file = [\"" + std::string(kCanary) + "\"]",
      "user = \"u\"\nsecret = \"" + std::string(kCanary) + "\"",
  };
  for (const std::string& line : lines) {
    const Faults faults = agent_faults(std::string(kAgent) + line + "\n");
    EXPECT_THAT(faults, Not(IsEmpty())) << line;
    EXPECT_THAT(to_text(faults, "f"), Not(HasSubstr(std::string(kCanary)))) << line;
  }
}

TEST(Secrets, AnInlinePasswordIsToldWhereToGo) {
  const Faults faults = agent_faults(with(kAgent, "password = \"x\"\n"));
  ASSERT_THAT(faults, SizeIs(1));
  EXPECT_THAT(faults[0].hint, HasSubstr("password_file"));
}

TEST(Secrets, AFileOrAnEnvironmentVariableIsTaken) {
  AgentFile out;
  EXPECT_THAT(
      parse_agent(with(kAgent, "user = \"u\"\npassword_file = \"env:PULL_PASSWORD\"\n"), out),
      IsEmpty());
  EXPECT_EQ(out.agent.registries[0].password_file.kind, SecretSource::Kind::environment);
  EXPECT_EQ(out.agent.registries[0].password_file.where, "PULL_PASSWORD");
  AgentFile by_file;
  EXPECT_THAT(parse_agent(with(kAgent, "user = \"u\"\npassword_file = \"./p\"\n"), by_file),
              IsEmpty());
  EXPECT_EQ(by_file.agent.registries[0].password_file.kind, SecretSource::Kind::file);
}

TEST(AgentConfig, ListeningBeyondLoopbackNeedsDeclarationAndAuthentication) {
  const auto mirror = [](std::string_view lines) {
    return agent_faults(
        with(kAgent, "[agent.mirror]\nlisten = \"0.0.0.0:5001\"\n" + std::string(lines)));
  };
  EXPECT_THAT(mirror(""), SizeIs(1));
  EXPECT_THAT(mirror("allow_non_loopback = true\n"), SizeIs(1));
  EXPECT_THAT(mirror("users_file = \"users\"\n"), SizeIs(1));
  EXPECT_THAT(mirror("allow_non_loopback = true\nusers_file = \"users\"\n"), IsEmpty());
  const auto proxy = [](std::string_view lines) {
    return agent_faults(
        with(kAgent, "[agent.proxy]\nlisten = \"[::]:5002\"\n" + std::string(lines)));
  };
  EXPECT_THAT(proxy("allow_non_loopback = true\n"), SizeIs(1));
  EXPECT_THAT(proxy("allow_non_loopback = true\nusers_file = \"users\"\n"), IsEmpty());
  EXPECT_THAT(agent_faults(with(kAgent, "[agent.mirror]\nlisten = \"[::1]:5001\"\n")), IsEmpty());
  EXPECT_THAT(agent_faults(with(kAgent, "[ops]\nlisten = \"0.0.0.0:9503\"\n")), SizeIs(1));
}

TEST(AgentConfig, PlainHttpToARegistryMustBeDeclared) {
  const std::string http = replaced(kAgent, "https://registry", "http://registry");
  EXPECT_THAT(agent_faults(http), SizeIs(1));
  EXPECT_THAT(agent_faults(http + "allow_http = true\n"), IsEmpty());
  EXPECT_THAT(agent_faults(replaced(kAgent, "https://tracker", "http://tracker")), SizeIs(1));
}

TEST(AgentConfig, OneRegistryStandsOnceAndOnlyOneIsTheDefault) {
  const std::string second =
      "default = true\n[[agent.registry]]\nhost = \"other.example\"\nurl = "
      "\"https://other.example\"\n";
  EXPECT_THAT(agent_faults(with(kAgent, second)), IsEmpty());
  EXPECT_THAT(agent_faults(with(kAgent, second + "default = true\n")), SizeIs(1));
  EXPECT_THAT(
      agent_faults(with(kAgent, replaced(second, "other.example", "registry.example:5000"))),
      SizeIs(1));
}

TEST(AgentConfig, BlobsHaveSomeOfThePageCache) {
  const auto share = [](const std::string& size) {
    return agent_faults(replaced(kAgent, "[agent]\n", "[agent]\npage_cache = \"" + size + "\"\n"));
  };
  EXPECT_THAT(share("16MiB"), IsEmpty());
  EXPECT_THAT(share("16777215B"), SizeIs(1));
  EXPECT_THAT(share("1TiB"), IsEmpty());
  EXPECT_THAT(share("1099511627777B"), SizeIs(1));
}

TEST(RegistryConfig, NeedsTlsOrTheWordThatItDoesWithout) {
  EXPECT_THAT(registry_faults(replaced(kRegistry, "plain_http = true\n", "")), SizeIs(1));
  EXPECT_THAT(
      registry_faults(with(kRegistry, "[registry.tls]\ncert_file = \"a\"\nkey_file = \"b\"\n")),
      SizeIs(1));
  EXPECT_THAT(registry_faults(with(kRegistry, "[registry.tls]\ncert_file = \"a\"\n")), SizeIs(1));
}

TEST(RegistryConfig, WebhooksHaveASecretAndAUrlThatNoFaultShows) {
  const auto hook = [](const std::string& lines) {
    return registry_faults(with(kRegistry, "[[registry.webhook]]\nname = \"a\"\n" + lines));
  };
  const std::string good =
      "url = \"https://ci.example/hook?token=x\"\nsecret_file = \"./secret\"\n";
  EXPECT_THAT(to_text(hook(good), "f"), IsEmpty());
  EXPECT_THAT(hook("url = \"https://ci.example/\"\n"), SizeIs(1));  // without a secret
  EXPECT_THAT(hook(good + "events = [\"push\", \"scan\"]\n"), SizeIs(1));
  EXPECT_THAT(hook(good + "events = []\n"), SizeIs(1));
  EXPECT_THAT(hook(good + "queue = 0\n"), SizeIs(1));
  EXPECT_THAT(hook(good + "queue = 100001\n"), SizeIs(1));
  EXPECT_THAT(hook(good + "[[registry.webhook]]\nname = \"a\"\n" + good), SizeIs(1));
  EXPECT_THAT(hook("url = \"http://ci.example/\"\nsecret_file = \"./s\"\nroots_file = \"r\"\n"),
              SizeIs(1));
  for (const char* url : {"https://u:canary@ci.example/", "ftp://ci.example/canary",
                          "https://ci.example/#canary", "canary"}) {
    const auto faults = hook("url = \"" + std::string(url) + "\"\nsecret_file = \"./secret\"\n");
    EXPECT_THAT(faults, SizeIs(1)) << url;
    EXPECT_THAT(to_text(faults, "f"), Not(HasSubstr("canary")));
  }
}

TEST(RegistryConfig, GrantsAreCheckedOneByOne) {
  RegistryFile out;
  EXPECT_THAT(parse_registry(with(kRegistry, R"([[registry.grant]]
repositories = ["**"]
actions = ["pull"]
users = ["anonymous"]
[[registry.grant]]
repositories = ["team/*"]
actions = ["*"]
users = ["ann", "bob"]
)"),
                             out),
              IsEmpty());
  ASSERT_THAT(out.registry.grants, SizeIs(2));
  EXPECT_EQ(out.registry.grants[1].users[1], "bob");
  const std::string bad = R"([[registry.grant]]
repositories = []
users = ["a"]
[[registry.grant]]
repositories = ["a"]
actions = ["pulll"]
users = ["a"]
)";
  const Faults faults = registry_faults(with(kRegistry, bad));
  ASSERT_THAT(faults, SizeIs(2));
  EXPECT_EQ(faults[0].key, "registry.grant[1].repositories");
  EXPECT_EQ(faults[1].key, "registry.grant[2].actions");
}

TEST(TrackerConfig, NeedsSomeTrustInARegistrysStatements) {
  EXPECT_THAT(tracker_faults(replaced(kTracker, "token_roots_file = \"token-ca.pem\"\n", "")),
              SizeIs(1));
}

TEST(UsersFile, ReadsNamesAndHashes) {
  Faults faults;
  const auto users = parse_users("# who\n\nann:$argon2id$x\r\n  bob:$2b$y:z\n", faults);
  EXPECT_THAT(faults, IsEmpty());
  ASSERT_THAT(users, SizeIs(2));
  EXPECT_EQ(users[0].name, "ann");
  EXPECT_EQ(users[0].hash, "$argon2id$x");
  EXPECT_EQ(users[1].hash, "$2b$y:z");
}

TEST(UsersFile, FaultsNameTheLineAndNeverTheHash) {
  Faults faults;
  parse_users("ann:h1canary\nann:h2canary\nno colon canary\na b:canary\nanonymous:canary\n",
              faults);
  EXPECT_THAT(faults, SizeIs(4));
  const std::string text = to_text(faults, "users");
  EXPECT_THAT(text, HasSubstr("users:2: "));
  EXPECT_THAT(text, HasSubstr("users:5: "));
  EXPECT_THAT(text, Not(HasSubstr("canary")));
}

TEST(Reference, NamesEachKeyOfEachTable) {
  const std::string page = reference_page();
  for (const char* text :
       {"### `[agent.mirror.tls]`", "### `[[registry.grant]]`", "| `swarm_stall` | duration",
        "\"100ms\" to \"1m\"", "**required**", "`\"127.0.0.1:5001\"`"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

}  // namespace
}  // namespace convoy::config
