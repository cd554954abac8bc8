#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/ocsp_stapler.hpp"
#include "support/net_certs.hpp"
#include "support/net_foreign_tls.hpp"
#include "support/net_http.hpp"
#include "support/net_loop.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CertOptions;
using test::OcspOptions;
using test::TestCa;
using test::WebServer;
using ::testing::HasSubstr;

/// What a server on that port staples for a client that asks; "" for nothing, "!" when the
/// handshake fails.
std::string stapled_at(std::uint16_t port) {
  test::ForeignTls client;
  SSL_set_tlsext_status_type(client.session(), TLSEXT_STATUSTYPE_ocsp);
  if (!client.handshakes(port)) return "!";
  const unsigned char* data = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(client.session(), &data);
  if (size <= 0) return "";
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

class Ocsp : public ::testing::Test {
 protected:
  Ocsp() : identity(issuer.issue(cert("http://127.0.0.1:9/"))) { serve(); }

  static CertOptions cert(const std::string& url) {
    CertOptions out;
    out.ocsp = url;
    return out;
  }
  void serve() {
    TlsServerOptions options;
    options.identity = copy(identity);
    context = *TlsServerContext::make(std::move(options));
    HttpServerOptions http;
    http.tls = context;
    server = std::make_unique<WebServer>(
        loop, [](HttpExchange&) -> Task<void> { co_return; }, std::move(http));
  }
  static TlsIdentity copy(const TlsIdentity& of) { return {of.chain_pem, of.key_pem}; }
  std::string stapled() {
    auto shown = std::async(std::launch::async, stapled_at, server->at().port);
    while (shown.wait_for(seconds(0)) != std::future_status::ready) {
      loop.run([]() -> Task<void> { static_cast<void>(co_await sleep_for(milliseconds(1))); }());
    }
    return shown.get();
  }
  std::string refused(const Bytes& answer) {
    auto times = context->staple(answer);
    if (times) return "";
    return times.error().code() + " " + times.error().detail();
  }
  Bytes answer(const OcspOptions& options = {}) {
    return issuer.ocsp_answer(identity.chain_pem, issuer, options);
  }

  test::Loop loop;
  TestCa root{"root"};
  TestCa issuer = root.intermediate("issuer");
  TlsIdentity identity;
  std::shared_ptr<TlsServerContext> context;
  std::unique_ptr<WebServer> server;
};

TEST_F(Ocsp, a_good_answer_is_shown_to_who_asks) {
  EXPECT_EQ(stapled(), "") << "none yet: the handshake goes on without";
  const Bytes good = answer();
  auto times = context->staple(good);
  ASSERT_TRUE(times.ok()) << times.error().text();
  EXPECT_EQ(times->until - times->from, seconds(3610));
  EXPECT_EQ(stapled(), as_text(good));
}

TEST_F(Ocsp, a_bad_answer_is_refused_and_the_good_one_kept) {
  const Bytes good = answer();
  ASSERT_EQ(refused(good), "");
  EXPECT_THAT(refused(answer({.revoked = true})), HasSubstr("revoked"));
  EXPECT_THAT(refused(answer({.from_seconds = -7200, .to_seconds = -1})), HasSubstr("run out"));
  EXPECT_THAT(refused(answer({.from_seconds = -7200, .to_seconds = -3600})), HasSubstr("fresh"));
  EXPECT_THAT(refused(answer({.from_seconds = 600})), HasSubstr("fresh"));
  EXPECT_THAT(refused(answer({.to_seconds = std::nullopt})), HasSubstr("until when"));
  const TlsIdentity other = issuer.issue(cert("http://127.0.0.1:9/"));
  EXPECT_THAT(refused(issuer.ocsp_answer(other.chain_pem, issuer)),
              HasSubstr("another certificate"));
  const TestCa stranger("stranger");
  EXPECT_THAT(refused(stranger.ocsp_answer(identity.chain_pem, issuer)), HasSubstr("signature"));
  EXPECT_THAT(refused(root.ocsp_answer(identity.chain_pem, issuer)), HasSubstr("signature"))
      << "a CA above is not the issuer";
  Bytes broken = good;
  broken.back() ^= 1;
  EXPECT_NE(refused(broken), "");
  broken = good;
  broken.push_back(0);
  EXPECT_THAT(refused(broken), HasSubstr("not an OCSP answer"));
  EXPECT_THAT(refused({}), HasSubstr("not an OCSP answer"));
  // OCSPResponse { tryLater }
  EXPECT_THAT(refused({0x30, 0x03, 0x0a, 0x01, 0x03}), HasSubstr("ocsp_refused"));
  EXPECT_EQ(stapled(), as_text(good));
}

TEST_F(Ocsp, an_answer_that_ran_out_is_shown_no_more) {
  ASSERT_EQ(refused(answer({.to_seconds = 1})), "");
  const auto until = std::chrono::steady_clock::now() + seconds(5);
  while (!stapled().empty() && std::chrono::steady_clock::now() < until) ::usleep(20'000);
  EXPECT_EQ(stapled(), "");
}

TEST_F(Ocsp, another_identity_drops_the_answer) {
  const Bytes good = answer();
  ASSERT_EQ(refused(good), "");
  ASSERT_TRUE(context->replace_identity(issuer.issue(cert("http://127.0.0.1:9/"))).ok());
  EXPECT_EQ(stapled(), "");
  EXPECT_THAT(refused(good), HasSubstr("another certificate")) << "that came too late";
}

TEST_F(Ocsp, asks_nobody_without_a_plain_responder_or_the_issuer) {
  EXPECT_TRUE(context->ocsp_query());
  for (const std::string url : {"", "https://127.0.0.1/", "ldap://127.0.0.1/"}) {
    ASSERT_TRUE(context->replace_identity(issuer.issue(cert(url))).ok());
    EXPECT_FALSE(context->ocsp_query()) << url;
  }
  ASSERT_TRUE(context->replace_identity(root.issue(cert("http://127.0.0.1/"))).ok());
  EXPECT_FALSE(context->ocsp_query()) << "the chain ends at the leaf";
}

/// A responder that can be away, and a stapler that asks often.
class Stapler : public Ocsp {
 protected:
  Stapler() : responder(loop, [this](HttpExchange& e) { return respond(e); }) {
    identity = issuer.issue(cert(responder.url("/ocsp").str()));
    serve();
    stapler =
        std::make_unique<OcspStapler>(loop.executor(), context, clock, Logger::none(),
                                      OcspPace{milliseconds(20), milliseconds(40), seconds(5)});
  }
  Task<void> respond(HttpExchange& exchange) {
    ++asked;
    auto body = co_await exchange.read_all(10'000);
    http::ResponseHead head;
    head.status = away || !body || exchange.request().method != "POST" ? 500 : 200;
    std::string text(
        as_text(away ? Bytes() : issuer.ocsp_answer(identity.chain_pem, issuer, says)));
    static_cast<void>(co_await exchange.respond(std::move(head), std::move(text)));
  }
  void until(const std::function<bool()>& there) {
    const auto limit = std::chrono::steady_clock::now() + seconds(20);
    while (!there() && std::chrono::steady_clock::now() < limit) pass(milliseconds(5));
    EXPECT_TRUE(there());
  }
  void pass(Duration time) {
    const auto wait = [time]() -> Task<void> { static_cast<void>(co_await sleep_for(time)); };
    loop.run(wait());
  }

  SystemClock clock;
  OcspOptions says;
  bool away = false;
  int asked = 0;
  WebServer responder;
  std::unique_ptr<OcspStapler> stapler;
};

TEST_F(Stapler, fetches_refreshes_and_keeps_the_last_one_while_the_responder_is_away) {
  test::Tasks tasks(loop);
  tasks->spawn([this] { return stapler->run(); });
  until([this] { return !stapled().empty(); });
  const int before = asked;
  until([&] { return asked > before; });
  away = true;
  const int then = asked;
  until([&] { return asked > then + 1; });
  EXPECT_FALSE(stapled().empty());
}

TEST_F(Stapler, serves_without_while_the_responder_says_nothing_good) {
  says.revoked = true;
  test::Tasks tasks(loop);
  tasks->spawn([this] { return stapler->run(); });
  until([this] { return asked > 1; });
  EXPECT_EQ(stapled(), "");
}

TEST_F(Stapler, asks_again_at_once_for_another_identity) {
  stapler = std::make_unique<OcspStapler>(loop.executor(), context, clock, Logger::none());
  test::Tasks tasks(loop);
  tasks->spawn([this] { return stapler->run(); });
  until([this] { return !stapled().empty(); });
  const std::string first = stapled();
  identity = issuer.issue(cert(responder.url("/ocsp").str()));
  ASSERT_TRUE(context->replace_identity(copy(identity)).ok());
  stapler->renew();
  until([this] { return asked == 2 && !stapled().empty(); });
  EXPECT_NE(stapled(), first);
}

}  // namespace
}  // namespace convoy::net
