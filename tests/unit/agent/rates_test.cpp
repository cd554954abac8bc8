#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>

#include "agent/rates_json.hpp"
#include "net/http_client.hpp"
#include "support/agent_world.hpp"

namespace convoy {
namespace {

using agent::AgentRates;

TEST(RatesJson, AnOrderChangesWhatItNames) {
  const AgentRates before{.upload = 5, .download = 7};
  const auto after = agent::changed(before, R"({"download":9,"origin":0,"upload_per_peer":1})");
  ASSERT_TRUE(after);
  EXPECT_EQ(*after, (AgentRates{.upload = 5, .upload_per_peer = 1, .download = 9}));
  EXPECT_EQ(*agent::changed({}, agent::to_json(*after)), *after);
}

TEST(RatesJson, AnOrderThatIsNotWhollyUnderstoodIsRefused) {
  for (const char* bad : {"", "[]", "{", R"({"upload":-1})", R"({"upload":"1"})",
                          R"({"upload":1.5})", R"({"upload":1,"uplaod":1})", R"({"upload":true})",
                          R"({"upload":1e30})", R"({"upload":1,"upload":2})"}) {
    EXPECT_FALSE(agent::changed({}, bad)) << bad;
  }
  EXPECT_TRUE(agent::changed({}, R"({"upload":9223372036854775807})"));
  EXPECT_FALSE(agent::changed({}, R"({"upload":9223372036854775808})"));
}

struct Answer {
  int status = 0;
  std::string body;
};

class AgentAdmin : public ::testing::Test {
 protected:
  AgentAdmin()
      : server_(
            world.loop.executor(), {},
            [this](net::HttpExchange& exchange) { return world.agent->administrate(exchange); },
            Logger::none(), world.random) {
    world.options.rates.download = 1000;
    world.start();
    ops_ = server_.listen({"127.0.0.1", 0}).value();
    EXPECT_TRUE(world.agent->publish_admin(ops_));
  }
  ~AgentAdmin() override { world.loop.run(server_.stop(std::chrono::seconds(0))); }

  std::string file() const { return world.options.data_dir + "/admin.json"; }
  std::string token() const {
    std::ifstream in(file());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto at = text.find("\"token\":\"") + 9;
    return text.substr(at, text.find('"', at) - at);
  }
  net::Task<Answer> send(net::HttpRequest request) {
    net::HttpClient client(world.loop.executor(), {});
    auto response = co_await client.send(std::move(request),
                                         Deadline::in(world.clock, std::chrono::seconds(10)));
    if (!response) co_return Answer{};
    auto body = co_await (*response)->read_all(1 << 20);
    co_return Answer{(*response)->status(), body.value_or("")};
  }
  Answer ask(const std::string& method, const std::string& token, const std::string& body = {},
             const std::string& what = "rates") {
    net::HttpRequest request;
    request.method = method;
    request.url = http::parse_url("http://" + ops_.str() + "/convoy/v1/admin/" + what).value();
    request.headers.set("Authorization", "Bearer " + token);
    request.body = body;
    return world.loop.run(send(std::move(request)));
  }

  test::AgentWorld world;
  net::HttpServer server_;
  net::Endpoint ops_;
};

TEST_F(AgentAdmin, RatesAreShownAndChangedForTheSwarmAndInTheStatus) {
  EXPECT_NE(ask("GET", token()).body.find(R"("download":1000)"), std::string::npos);
  const auto done =
      ask("PATCH", token(), R"({"upload_per_peer":5000,"upload_background":77,"download":0})");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(world.agent->rates(), (AgentRates{.upload_per_peer = 5000, .upload_background = 77}));
  ASSERT_EQ(world.engine->shares.size(), 1U);
  EXPECT_EQ(world.engine->shares.back().each_peer, 5000U);
  EXPECT_EQ(world.engine->shares.back().background, 77U);
  EXPECT_NE(world.agent->status_json().find(R"("upload_per_peer":5000)"), std::string::npos);
  EXPECT_EQ(world.audit.count("admin.grant"), 1U);
}

TEST_F(AgentAdmin, WhoCannotShowTheTokenChangesNothing) {
  struct stat st{};
  ASSERT_EQ(::stat(file().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0600U);
  std::string wrong = token();
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  for (const std::string& shown : {std::string("x"), wrong, token().substr(1)}) {
    EXPECT_EQ(ask("GET", shown).status, 401);
    EXPECT_EQ(ask("PATCH", shown, R"({"download":5})").status, 401);
  }
  EXPECT_EQ(world.agent->rates().download, 1000U);
  EXPECT_EQ(world.audit.count("admin.refuse", "admin_token_refused"), 6U);
}

TEST_F(AgentAdmin, WrongOrdersChangeNothing) {
  EXPECT_EQ(ask("PATCH", token(), R"({"download":5,"nothing":1})").status, 400);
  EXPECT_EQ(ask("PATCH", token(), std::string(4097, ' ')).status, 413);
  EXPECT_EQ(ask("POST", token(), R"({"download":5})").status, 405);
  EXPECT_EQ(ask("PATCH", token(), R"({"download":5})", "rates/x").status, 404);
  EXPECT_EQ(world.agent->rates().download, 1000U);
  EXPECT_TRUE(world.engine->shares.empty());
}

TEST_F(AgentAdmin, TheFileGoesWithTheAgent) {
  const std::string path = file();
  world.stop();
  struct stat st{};
  EXPECT_NE(::stat(path.c_str(), &st), 0);
}

}  // namespace
}  // namespace convoy
