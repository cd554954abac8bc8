#pragma once

#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>

#include "net/tls.hpp"
#include "support/net_certs.hpp"
#include "support/net_foreign_tls.hpp"
#include "support/net_loop.hpp"
#include "support/net_pair.hpp"

namespace convoy::test {

/// TLS contexts of one authority, and connections between them over loopback.
class TlsFixture : public ::testing::Test {
 protected:
  std::shared_ptr<net::TlsServerContext> server(
      net::PeerCertificate want = net::PeerCertificate::none, CertOptions cert = {}) {
    net::TlsServerOptions options = server_options(want, cert);
    return make(options);
  }
  net::TlsServerOptions server_options(net::PeerCertificate want = net::PeerCertificate::none,
                                       CertOptions cert = {}) {
    net::TlsServerOptions options;
    options.identity = ca.issue(cert);
    options.client_certificate = want;
    options.client_roots_pem = ca.root_pem();
    return options;
  }
  static std::shared_ptr<net::TlsServerContext> make(net::TlsServerOptions options) {
    auto made = net::TlsServerContext::make(std::move(options));
    EXPECT_TRUE(made.ok()) << made.error().text();
    return *made;
  }
  std::shared_ptr<net::TlsClientContext> client(std::optional<net::TlsIdentity> identity = {},
                                                bool verify_name = true) {
    net::TlsClientOptions options;
    options.identity = std::move(identity);
    options.roots_pem = ca.root_pem();
    options.verify_name = verify_name;
    auto made = net::TlsClientContext::make(std::move(options));
    EXPECT_TRUE(made.ok()) << made.error().text();
    return *made;
  }
  TlsPair connect(std::shared_ptr<net::TlsServerContext> s,
                  std::shared_ptr<net::TlsClientContext> c, std::string name = "localhost") {
    return loop.run(tls_pair(loop.executor(), std::move(s), std::move(c), std::move(name)));
  }
  /// The server's end of a connection with such a client.
  Result<net::StreamPtr> accept(ForeignTls& from, std::shared_ptr<net::TlsServerContext> context) {
    auto listener = net::Listener::open(loop.executor(), {"127.0.0.1", 0});
    const auto port = (*listener)->local().port;
    auto connected = std::async(std::launch::async, [&] { return from.connects(port); });
    auto plain = loop.run((*listener)->accept());
    auto accepted =
        loop.run(net::tls_accept(std::move(*plain), std::move(context), std::chrono::seconds(5)));
    EXPECT_TRUE(connected.get());
    if (accepted) (*accepted)->set_idle_timeout(std::chrono::seconds(10));
    return accepted;
  }
  Result<std::string> read(net::Stream& stream, std::size_t limit = 100) {
    Bytes buffer(limit);
    auto n = loop.run(stream.read_some(buffer));
    if (!n) return std::move(n).error();
    return std::string(as_text(ByteView(buffer).first(*n)));
  }

  Loop loop;
  TestCa ca{"cluster root"};
};

}  // namespace convoy::test
