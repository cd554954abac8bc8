#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <thread>

#include "net/http_server.hpp"
#include "registry/core/admin_desk.hpp"
#include "support/registry_store.hpp"
#include "support/registry_world.hpp"

namespace convoy::registry {
namespace {

using test::Answer;
using test::RegistryWorld;

class AdminApiTest : public ::testing::Test {
 protected:
  AdminApiTest()
      : server_(
            world.loop.executor(), {},
            [this](net::HttpExchange& exchange) { return world.service->administrate(exchange); },
            Logger::none(), world.random) {
    const auto bound = server_.listen({"127.0.0.1", 0}).value();
    EXPECT_TRUE(world.service->publish_admin(bound).ok());
    data_port_ = std::exchange(world.port, bound.port);
  }
  ~AdminApiTest() override { world.loop.run(server_.stop(std::chrono::seconds(0))); }

  std::string file() const { return world.dir / "registry/admin.json"; }
  std::string token() const {
    std::ifstream in(file());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto at = text.find("\"token\":\"") + 9;
    return text.substr(at, text.find('"', at) - at);
  }
  Answer ask(const std::string& method, const std::string& what, const std::string& token,
             const std::string& body = {}) {
    return world.send({.method = method,
                       .target = "/convoy/v1/admin/" + what,
                       .body = body,
                       .headers = {},
                       .token = token});
  }

  RegistryWorld world;
  net::HttpServer server_;
  std::uint16_t data_port_ = 0;
};

TEST_F(AdminApiTest, TokenIsInAPrivateFileThatGoesWithTheRegistry) {
  struct stat st{};
  ASSERT_EQ(::stat(file().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777u, 0600u);
  EXPECT_EQ(token().size(), 64u);
  const std::string path = file();
  world.stop();
  EXPECT_NE(::stat(path.c_str(), &st), 0);
}

TEST_F(AdminApiTest, NothingIsToldOrDoneWithoutTheToken) {
  std::string wrong = token();
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  for (const std::string& shown :
       {std::string(), wrong, token().substr(1), world.all("team/app")}) {
    for (const char* what : {"gc", "usage", "repositories", "nothing"}) {
      const auto answer = ask("GET", what, shown);
      EXPECT_EQ(answer.status, 401);
      EXPECT_EQ(answer.body, R"({"error":"unauthorized"})");
    }
    EXPECT_EQ(ask("POST", "gc", shown).status, 401);
  }
  EXPECT_EQ(world.audit.count("admin.refuse", "admin_token_refused"), 20u);
  EXPECT_EQ(ask("GET", "gc", token()).body, R"({"state":"none"})");
}

TEST_F(AdminApiTest, CollectionRunsToItsEndAndIsAudited) {
  EXPECT_EQ(ask("POST", "gc", token(), R"({"dry_run":true})").status, 202);
  for (int i = 0; i < 2000; ++i) {
    const auto now = ask("GET", "gc", token());
    ASSERT_EQ(now.status, 200);
    if (now.body.find(R"("state":"done")") != std::string::npos) break;
  }
  EXPECT_EQ(world.audit.count("gc.rehearse"), 1u);
  EXPECT_EQ(world.audit.count("admin.grant"), 1u);
}

TEST_F(AdminApiTest, MalformedOrdersAreRefused) {
  EXPECT_EQ(ask("POST", "gc", token(), "{").status, 400);
  EXPECT_EQ(ask("POST", "gc", token(), R"({"dry_run":1})").status, 400);
  EXPECT_EQ(ask("POST", "gc", token(), R"({"dry-run":true})").status, 400);
  EXPECT_EQ(ask("POST", "gc", token(), std::string(4097, ' ')).status, 413);
  EXPECT_EQ(ask("DELETE", "gc", token()).status, 405);
  EXPECT_EQ(ask("POST", "usage", token()).status, 405);
  EXPECT_EQ(ask("GET", "../gc", token()).status, 400);
  EXPECT_EQ(ask("GET", "tags?repository=UPPER", token()).status, 400);
  EXPECT_EQ(ask("GET", "tags?repository=none", token()).status, 404);
  EXPECT_EQ(ask("GET", "repositories?n=0", token()).status, 400);
  EXPECT_EQ(ask("GET", "repositories?n=99999999999999999999", token()).status, 400);
}

TEST_F(AdminApiTest, ListsWhatIsThere) {
  std::swap(world.port, data_port_);
  world.push_image("team/app", "v1");
  std::swap(world.port, data_port_);
  const auto repositories = ask("GET", "repositories", token());
  EXPECT_NE(repositories.body.find(R"("name":"team/app","tags":1,"manifests":1,"blobs":2)"),
            std::string::npos)
      << repositories.body;
  EXPECT_NE(ask("GET", "tags?repository=team%2Fapp", token()).body.find(R"("pulled":null)"),
            std::string::npos);
  EXPECT_NE(ask("GET", "usage", token()).body.find(R"("blobs":2)"), std::string::npos);
}

/// A desk whose step stands still where a blob goes, until it is let go on.
class StandingDeskTest : public ::testing::Test {
 protected:
  StandingDeskTest()
      : desk_({*store_.blobs, *store_.meta, store_.gate, projects_, store_.clock, audit_, metrics_,
               store_.rules, [this](const oci::Digest&) {
                 standing_.set_value();
                 go_on_.get_future().wait();
               }}) {}

  void expect_answers_while_standing(const std::string& what, const std::function<bool()>& step) {
    EXPECT_EQ(desk_.handle("POST", what, "").status, 202);
    std::thread job([&] {
      while (step()) {
      }
    });
    EXPECT_EQ(standing_.get_future().wait_for(kPatience), std::future_status::ready);
    auto asked = std::async(std::launch::async, [&] {
      return std::pair(desk_.handle("GET", what, ""), desk_.handle("POST", what, ""));
    });
    EXPECT_EQ(asked.wait_for(kPatience), std::future_status::ready);
    go_on_.set_value();
    job.join();
    const auto [report, order] = asked.get();
    EXPECT_TRUE(report.body.starts_with(R"({"state":"running")")) << report.body;
    EXPECT_EQ(order.status, 409);
    EXPECT_TRUE(desk_.handle("GET", what, "").body.starts_with(R"({"state":"done")"));
  }

  static constexpr std::chrono::seconds kPatience{10};
  test::RegistryStore store_;
  const ProjectBook projects_{{}};
  security::MemoryAuditLog audit_;
  net::Metrics metrics_;
  std::promise<void> standing_;
  std::promise<void> go_on_;
  AdminDesk desk_;
};

TEST_F(StandingDeskTest, CollectionIsToldOfWhileItsStepStandsStill) {
  ASSERT_TRUE(store_.push("a", "blob").ok());
  store_.clock.advance(std::chrono::hours(3));
  expect_answers_while_standing("gc", [this] { return desk_.collect_step(); });
}

TEST_F(StandingDeskTest, ScrubIsToldOfWhileItsStepStandsStill) {
  ASSERT_TRUE(store_.push("a", "blob").ok());
  const std::string hex = test::RegistryStore::digest("blob").hex();
  const std::string path = store_.dir / ("store/blobs/sha256/" + hex.substr(0, 2) + "/" + hex);
  std::ofstream(path, std::ios::in | std::ios::binary) << "B";
  expect_answers_while_standing("scrub", [this] { return desk_.scrub_step(1000); });
}

}  // namespace
}  // namespace convoy::registry
