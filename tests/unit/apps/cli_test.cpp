#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/client_setup.hpp"
#include "cli/files.hpp"
#include "cli/node_tokens.hpp"
#include "cli/pki_folder.hpp"
#include "cli/show_certificate.hpp"
#include "cli/starter_config.hpp"
#include "cli/status_table.hpp"
#include "cli/text_table.hpp"
#include "cli/up_site.hpp"
#include "config/agent_config.hpp"
#include "config/registry_config.hpp"
#include "config/tracker_config.hpp"
#include "support/apps_folder.hpp"

namespace convoy::cli {
namespace {

using test::Folder;
using test::mode_of;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

template <class File>
std::string faults(config::Faults (*parse)(std::string_view, File&), const std::string& text) {
  File file;
  return config::to_text(parse(text, file), "f");
}

TEST(Files, AreReplacedWholeAndWithTheirMode) {
  const Folder folder;
  const std::string path = folder / "f";
  ASSERT_TRUE(write_file(path, "one", 0600));
  EXPECT_EQ(mode_of(path), 0600U);
  ASSERT_TRUE(write_file(path, "two", 0644));
  EXPECT_EQ(mode_of(path), 0644U);
  EXPECT_EQ(read_file(path).value_or(""), "two");
  EXPECT_FALSE(exists(path + ".new"));
}

TEST(Files, ALinkPutInTheWayIsNotFollowed) {
  const Folder folder;
  ASSERT_TRUE(write_file(folder / "victim", "keep", 0600));
  std::filesystem::create_symlink(folder / "victim", folder / "f.new");
  ASSERT_TRUE(write_file(folder / "f", "text", 0600));
  EXPECT_EQ(read_file(folder / "victim").value_or(""), "keep");
}

TEST(Files, ReadingEndsAtTheLimit) {
  const Folder folder;
  ASSERT_TRUE(write_file(folder / "f", "12345", 0600));
  EXPECT_TRUE(read_file(folder / "f", 5));
  EXPECT_FALSE(read_file(folder / "f", 4));
  EXPECT_THAT(read_file(folder / "none").error().detail(), HasSubstr("No such file"));
}

TEST(Files, RelativePathsCountFromTheFolder) {
  EXPECT_EQ(resolve("/etc/convoy", "a.pem"), "/etc/convoy/a.pem");
  EXPECT_EQ(resolve("/etc/convoy", "/x/a.pem"), "/x/a.pem");
  EXPECT_EQ(folder_of("agent.toml"), ".");
  EXPECT_EQ(folder_of("/agent.toml"), "/");
  EXPECT_EQ(folder_of("a/b/agent.toml"), "a/b");
}

PkiPlan plan_in(const Folder& folder) {
  return {folder / "pki",
          "c1",
          "example.org",
          {"registry.example.org", 5000, {"10.0.0.1"}},
          {"tracker.example.org", 5443, {}}};
}

TEST(PkiFolder, HoldsWhatEachRoleNeedsAndKeepsKeysPrivate) {
  const Folder folder;
  SystemClock clock;
  SystemRandom random;
  ASSERT_TRUE(create_pki_folder(plan_in(folder), clock, random));
  std::size_t keys = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "pki")) {
    const std::string path = entry.path().string();
    if (entry.is_directory()) {
      EXPECT_EQ(mode_of(path), 0700U) << path;
    } else if (path.ends_with(".key") || path.ends_with("/users")) {
      ++keys;
      EXPECT_EQ(mode_of(path), 0600U) << path;
    } else {
      EXPECT_THAT(read_file(path).value_or(""), Not(HasSubstr("PRIVATE KEY"))) << path;
    }
  }
  EXPECT_EQ(keys, 11U);
  // The keys of CAs that are above others are in one place alone.
  for (const char* ca : {"cluster-root", "token-ca", "service-ca"}) {
    for (const char* role : {"registry", "tracker", "agent"}) {
      EXPECT_FALSE(exists(folder / ("pki/" + std::string(role) + "/" + ca + ".key")));
    }
  }
}

TEST(PkiFolder, ItsConfigurationsAreRight) {
  const Folder folder;
  const PkiPlan plan = plan_in(folder);
  EXPECT_EQ(faults(config::parse_registry, starter_registry_config(plan)), "");
  EXPECT_EQ(faults(config::parse_tracker, starter_tracker_config(plan)), "");
  EXPECT_EQ(faults(config::parse_agent, starter_agent_config(plan)), "");
}

TEST(PkiFolder, IsNeverWrittenOverAnother) {
  const Folder folder;
  SystemClock clock;
  SystemRandom random;
  ASSERT_TRUE(create_pki_folder(plan_in(folder), clock, random));
  const auto again = create_pki_folder(plan_in(folder), clock, random);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), "folder_not_empty");
}

TEST(PkiFolder, RefusesNamesThatAreNone) {
  const Folder folder;
  SystemClock clock;
  SystemRandom random;
  PkiPlan plan = plan_in(folder);
  plan.cluster = "../x";
  EXPECT_FALSE(create_pki_folder(plan, clock, random));
  plan = plan_in(folder);
  plan.registry.host = "a b";
  EXPECT_FALSE(create_pki_folder(plan, clock, random));
  EXPECT_FALSE(exists(folder / "pki"));
}

TEST(ShowCertificate, TellsNamesAndPin) {
  const Folder folder;
  SystemClock clock;
  SystemRandom random;
  ASSERT_TRUE(create_pki_folder(plan_in(folder), clock, random));
  const auto client = read_file(folder / "pki/tracker/client.pem");
  const auto shown = show_certificates(*client, clock.wall());
  ASSERT_TRUE(shown);
  EXPECT_THAT(*shown, HasSubstr("spiffe://example.org/cluster/c1/tracker/"));
  EXPECT_THAT(*shown, HasSubstr("sha256 (pin) "));
  EXPECT_THAT(*show_certificates(*client, clock.wall() + std::chrono::hours(24 * 4000)),
              HasSubstr("EXPIRED"));
  EXPECT_FALSE(show_certificates("nonsense", clock.wall()));
}

UpPlan up_in(const Folder& folder) {
  UpPlan plan;
  plan.data = folder / "data";
  return plan;
}

TEST(Up, ItsConfigurationsAreRightForAnyAddress) {
  UpPlan plan;
  for (const char* ip : {"127.0.0.1", "0.0.0.0", "::1", "::", "10.1.2.3"}) {
    plan.listen_ip = ip;
    EXPECT_EQ(faults(config::parse_registry, up_registry_config(plan)), "") << ip;
    EXPECT_EQ(faults(config::parse_tracker, up_tracker_config(plan)), "") << ip;
    EXPECT_EQ(faults(config::parse_agent, up_agent_config(plan)), "") << ip;
  }
}

TEST(Up, SecondStartKeepsKeysAndPasswordAndGivesFreshTokens) {
  const Folder folder;
  SystemClock clock;
  SystemRandom random;
  const UpPlan plan = up_in(folder);
  const auto first = prepare_up(plan, clock, random);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_TRUE(*first);
  const auto password = read_file(folder / "data/password");
  const auto root = read_file(folder / "data/pki/registry/cluster-root.pem");
  const auto token = read_file(folder / "data/pki/agent/join-token");
  const auto second = prepare_up(plan, clock, random);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_FALSE(*second);
  EXPECT_EQ(*read_file(folder / "data/password"), *password);
  EXPECT_EQ(*read_file(folder / "data/pki/registry/cluster-root.pem"), *root);
  EXPECT_NE(*read_file(folder / "data/pki/agent/join-token"), *token);
  security::FileJoinTokenStore store(folder / "data/pki/tracker/join-tokens.json");
  EXPECT_EQ(store.list()->size(), 2U);
}

TEST(Up, SecretsArePrivateAndInNoOtherFile) {
  const Folder folder;
  SystemClock clock;
  SystemRandom random;
  ASSERT_TRUE(prepare_up(up_in(folder), clock, random));
  for (const char* file : {"password", "auth.json", "pki/agent/password", "pki/agent/join-token",
                           "pki/registry/join-token", "pki/registry/users"}) {
    EXPECT_EQ(mode_of(folder / ("data/" + std::string(file))), 0600U) << file;
  }
  EXPECT_EQ(mode_of(folder / "data"), 0700U);
  const std::string password = read_file(folder / "data/password").value_or("");
  ASSERT_EQ(password.size(), 32U);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "data")) {
    if (!entry.is_regular_file() || entry.path().filename() == "password") continue;
    EXPECT_THAT(read_file(entry.path().string()).value_or(""), Not(HasSubstr(password)))
        << entry.path();
  }
  EXPECT_THAT(client_commands(up_in(folder), "127.0.0.1:5001"), Not(HasSubstr(password)));
}

TEST(Up, CommandsSurviveAFolderWithBlanks) {
  EXPECT_EQ(shell_word("/home/a/.local"), "/home/a/.local");
  EXPECT_EQ(shell_word("/home/a b"), "'/home/a b'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(TextTable, LinesUpAndDisarmsControlCharacters) {
  EXPECT_EQ(text_table({"NAME", ">SIZE"}, {{"a", "1 B"}, {"long", "10 B"}}),
            "NAME  SIZE\na      1 B\nlong  10 B\n");
  EXPECT_THAT(text_table({"N"}, {{"\x1b[31mred"}}), Not(HasSubstr("\x1b")));
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(286261248), "273.0 MiB");
}

TEST(StatusTable, TellsWhereTheBytesCameFrom) {
  const auto table =
      status_table(R"({"pulls":[{"request_id":"r","registry":"h","repository":"lab/app",
    "digest":"sha256:0123456789abcdef0123","size":1048576,"bytes":{"peers":786432,"origin":262144,
    "cache":0,"registry":0},"seconds":0.5,"outcome":"ok"}]})");
  ASSERT_TRUE(table);
  EXPECT_THAT(*table, HasSubstr("lab/app"));
  EXPECT_THAT(*table, HasSubstr("0123456789ab  1.0 MiB  768.0 KiB"));
  EXPECT_THAT(*table, HasSubstr("1 pulls, 1.0 MiB: 75 % from peers, 25 % from origin"));
}

TEST(StatusTable, ListsWhatIsUnderWayFirstAndCountsItApart) {
  const std::string running =
      R"("running":[{"repository":"lab/now","digest":"sha256:ffff","size":2097152,
    "bytes":{"peers":1048576,"origin":0,"cache":0,"registry":0},"seconds":2,"state":"sending"}])";
  const auto alone = status_table("{" + running + R"(,"pulls":[]})");
  ASSERT_TRUE(alone);
  EXPECT_THAT(*alone, HasSubstr("2.0 MiB  1.0 MiB"));
  EXPECT_THAT(*alone, HasSubstr("2.00 s  sending"));
  EXPECT_THAT(*alone, HasSubstr("1 under way, 0 pulls, 0 B\n"));
  const auto both =
      status_table("{" + running + R"(,"pulls":[{"repository":"lab/old","digest":"sha256:aaaa",
    "size":1024,"bytes":{"cache":1024},"seconds":1,"outcome":"ok"}]})");
  ASSERT_TRUE(both);
  EXPECT_LT(both->find("lab/now"), both->find("lab/old"));
  EXPECT_THAT(*both, HasSubstr("1 under way, 1 pulls, 1.0 KiB: 100 % from cache\n"));
}

TEST(StatusTable, RefusesWhatIsNoStatus) {
  for (const char* text : {"", "[]", "{}", "{\"pulls\":1}", "<html>"})
    EXPECT_FALSE(status_table(text));
  EXPECT_TRUE(status_table(R"({"pulls":[{"size":"x","bytes":[],"seconds":null},7]})"));
  EXPECT_TRUE(status_table(R"({"running":[7,{"state":1}],"pulls":[]})"));
  EXPECT_EQ(status_table(R"({"pulls":[]})").value_or(""), "no pulls yet\n");
  EXPECT_EQ(status_table(R"({"running":[],"pulls":[]})").value_or(""), "no pulls yet\n");
}

TEST(NodeTokens, ListShowsStateAndNoSecret) {
  const UnixTime now{std::chrono::seconds(1'700'000'000)};
  security::JoinTokenRecord fresh;
  fresh.id = "0123456789abcdef";
  fresh.expires = now + std::chrono::hours(1);
  security::JoinTokenRecord used = fresh;
  used.used_by = "spiffe://td/cluster/c/node/n";
  security::JoinTokenRecord old = fresh;
  old.expires = now;
  const std::string table = join_token_table({fresh, used, old}, now);
  EXPECT_THAT(table, HasSubstr("fresh"));
  EXPECT_THAT(table, HasSubstr("used by spiffe://td/cluster/c/node/n"));
  EXPECT_THAT(table, HasSubstr("expired"));
  EXPECT_THAT(join_token_table({}, now), HasSubstr("no join tokens"));
}

}  // namespace
}  // namespace convoy::cli
