#include "net/tls_kernel.hpp"

#include <algorithm>
#include <future>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "net/tcp.hpp"
#include "support/net_foreign_tls.hpp"
#include "support/net_tls.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// No two pieces of it are alike.
Bytes sample(std::size_t size) {
  Bytes out(size);
  std::uint64_t x = 88172645463325252ULL;
  for (auto& byte : out) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    byte = static_cast<std::uint8_t>(x >> 32);
  }
  return out;
}

/// A file without a name.
class TestFile {
 public:
  explicit TestFile(ByteView content) : fd_(::memfd_create("test", MFD_CLOEXEC)) {
    EXPECT_EQ(::write(fd_, content.data(), content.size()), std::ssize(content));
  }
  ~TestFile() { ::close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

class KernelTlsFixture : public test::TlsFixture {
 protected:
  std::shared_ptr<TlsServerContext> kernel_server() {
    TlsServerOptions options = server_options();
    options.kernel_sends = true;
    return make(std::move(options));
  }
  std::shared_ptr<TlsClientContext> kernel_client() {
    TlsClientOptions options;
    options.roots_pem = ca.root_pem();
    options.kernel_sends = true;
    return *TlsClientContext::make(std::move(options));
  }
  static bool by_kernel(const Stream& stream) { return stream.tls()->kernel_sends; }
};

TEST_F(KernelTlsFixture, the_kernel_sends_where_it_can_and_it_was_asked_for) {
  auto asked = connect(kernel_server(), client());
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(by_kernel(**asked.server), tls::kernel_has_tls());
  EXPECT_FALSE(by_kernel(**asked.client));
  ASSERT_TRUE(loop.run((*asked.server)->write(as_bytes("either way"))).ok());
  EXPECT_EQ(*read(**asked.client), "either way");
}

/// Both ends leave the sending to the kernel.
class KernelSends : public KernelTlsFixture {
 protected:
  void SetUp() override {
    if (!tls::kernel_has_tls()) GTEST_SKIP() << "this kernel has no TLS (try: modprobe tls)";
    test::Pair plain = loop.run(test::plain_pair(loop.executor()));
    near_ = test::fd_of(*plain.server);
    far_ = test::fd_of(*plain.client);
    auto pair = loop.run(test::tls_over(loop.executor(), std::move(plain), kernel_server(),
                                        kernel_client(), "localhost"));
    ASSERT_TRUE(pair.ok());
    here = std::move(*pair.server);
    there = std::move(*pair.client);
    ASSERT_TRUE(by_kernel(*here));
    ASSERT_TRUE(by_kernel(*there));
    // With it comes the session ticket.
    ASSERT_TRUE(loop.run(here->write(as_bytes("ping"))).ok());
    ASSERT_EQ(*read(*there), "ping");
  }
  void TearDown() override {
    if (here) here->abort();
    if (there) there->abort();
  }

  /// What `write` does while the other end reads so many bytes.
  template <class F>
  std::string passes(F write, std::size_t size) {
    test::Tasks tasks(loop);
    std::optional<Status> written;
    tasks->spawn([&]() -> Task<void> { written = co_await write(); });
    auto got = loop.run(test::read_exactly(*there, size));
    wait_until([&] { return written.has_value(); });
    EXPECT_TRUE(written && written->ok());
    return got;
  }
  template <class F>
  void wait_until(F done) {
    for (int i = 0; i < 10'000 && !done(); ++i) loop.run(sleep_for(milliseconds(1)));
  }
  /// What waits for the far end as it came over the wire.
  Bytes wire(std::size_t least) {
    Bytes out(1024 * 1024);
    ssize_t n = 0;
    wait_until([&] {
      n = ::recv(far_, out.data(), out.size(), MSG_PEEK);
      return n >= static_cast<ssize_t>(least);
    });
    out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return out;
  }

  StreamPtr here, there;
  int near_ = -1, far_ = -1;
};

TEST_F(KernelSends, bytes_arrive_in_order) {
  const Bytes sent = sample(8 * 1024 * 1024 + 5);
  const auto got = passes([&] { return here->write(sent); }, sent.size());
  EXPECT_TRUE(got == as_text(sent));
}

TEST_F(KernelSends, both_ways_at_once) {
  const Bytes sent = sample(4 * 1024 * 1024);
  test::Tasks tasks(loop);
  std::optional<Status> back;
  std::optional<std::string> came;
  tasks->spawn([&]() -> Task<void> { back = co_await there->write(sent); });
  tasks->spawn([&]() -> Task<void> { came = co_await test::read_exactly(*here, sent.size()); });
  const auto got = passes([&] { return here->write(sent); }, sent.size());
  wait_until([&] { return back && came; });
  EXPECT_TRUE(got == as_text(sent));
  EXPECT_TRUE(back && back->ok());
  EXPECT_TRUE(came == as_text(sent));
}

TEST_F(KernelSends, what_is_on_the_wire_is_encrypted_records) {
  const Bytes sent = sample(40'000);
  ASSERT_TRUE(loop.run(here->write(as_bytes("head"), sent)).ok());
  constexpr std::size_t kOver = 5 + 1 + 16;  // RFC 8446 5.2
  const Bytes seen = wire(4 + sent.size() + 3 * kOver);
  EXPECT_EQ(std::search(seen.begin(), seen.end(), sent.begin(), sent.begin() + 8), seen.end());
  std::size_t records = 0;
  for (std::size_t at = 0; at + 5 <= seen.size(); ++records) {
    EXPECT_EQ(seen[at], 23U) << "application data";
    at += 5U + (static_cast<std::size_t>(seen[at + 3]) << 8U | seen[at + 4]);
    EXPECT_LE(at, seen.size());
  }
  EXPECT_EQ(records, 3U) << "the head has no record of its own";
  EXPECT_EQ(loop.run(test::read_exactly(*there, 4 + sent.size())).size(), 4 + sent.size());
}

TEST_F(KernelSends, a_part_of_a_file_arrives) {
  const Bytes content = sample(3 * 1024 * 1024 + 700);
  const TestFile file(content);
  constexpr std::size_t kFrom = 4099;
  const std::size_t length = content.size() - kFrom - 1;
  const auto got = passes([&] { return here->send_file(file.fd(), kFrom, length); }, length);
  EXPECT_TRUE(got == as_text(ByteView(content).subspan(kFrom, length)));
  ASSERT_TRUE(loop.run(here->write(as_bytes("after"))).ok());
  EXPECT_EQ(*read(*there), "after");
}

TEST_F(KernelSends, a_file_that_is_short_ends_the_writing) {
  const TestFile file(sample(100'000));
  const Status sent = loop.run(here->send_file(file.fd(), 0, 100'001));
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code(), "file_short");
  EXPECT_FALSE(loop.run(here->write(as_bytes("more"))).ok());
}

TEST_F(KernelSends, an_orderly_end_is_one) {
  ASSERT_TRUE(loop.run(here->write(as_bytes("last"))).ok());
  ASSERT_TRUE(loop.run(here->shutdown_write()).ok());
  EXPECT_EQ(*read(*there), "last");
  const auto end = read(*there);
  ASSERT_TRUE(end.ok()) << end.error().text();
  EXPECT_EQ(*end, "");
  EXPECT_FALSE(loop.run(here->write(as_bytes("more"))).ok());
}

TEST_F(KernelSends, an_end_waits_for_room) {
  std::size_t filled = 0;
  const Bytes block(64 * 1024);
  for (std::size_t size = block.size(); size > 0; size /= 2) {
    ssize_t n = 0;
    while ((n = ::send(near_, block.data(), size, MSG_NOSIGNAL)) > 0) {
      filled += static_cast<std::size_t>(n);
    }
  }
  const auto got = passes([&] { return here->shutdown_write(); }, filled);
  EXPECT_EQ(got.size(), filled);
  EXPECT_EQ(*read(*there), "");
}

TEST_F(KernelSends, a_write_that_broke_off_has_no_orderly_end) {
  here->set_idle_timeout(milliseconds(30));
  const Bytes block(32 * 1024);
  Status written = Status{};
  while (written.ok()) written = loop.run(here->write(block));
  EXPECT_EQ(written.error().code(), "stream_idle");
  EXPECT_EQ(loop.run(here->write(block)).error().code(), "stream_failed");
  test::Tasks tasks(loop);
  tasks->spawn([&] { return here->close(); });
  Bytes buffer(64 * 1024);
  auto got = loop.run(there->read_some(buffer));
  while (got.ok() && *got > 0) got = loop.run(there->read_some(buffer));
  EXPECT_FALSE(got.ok()) << "half of it passed for the whole";
}

TEST_F(KernelSends, a_session_is_resumed) {
  const auto serving = kernel_server();
  const auto calling = kernel_client();
  auto listener = Listener::open(loop.executor(), {"127.0.0.1", 0});
  for (const bool again : {false, true}) {
    auto pair = loop.run(test::tls_over(loop.executor(),
                                        loop.run(test::pair_at(loop.executor(), **listener)),
                                        serving, calling, "localhost"));
    ASSERT_TRUE(pair.ok());
    EXPECT_EQ((*pair.client)->tls()->resumed, again);
    ASSERT_TRUE(loop.run((*pair.server)->write(as_bytes("ping"))).ok());
    EXPECT_EQ(*read(**pair.client), "ping");
    loop.run((*pair.client)->close());
  }
}

struct Cipher {
  const char* name;
  int version;
};

/// A client that is OpenSSL alone, in one cipher.
class KernelCipher : public KernelTlsFixture, public ::testing::WithParamInterface<Cipher> {
 protected:
  void SetUp() override {
    if (!tls::kernel_has_tls()) GTEST_SKIP() << "this kernel has no TLS (try: modprobe tls)";
    const auto [name, version] = GetParam();
    SSL_CTX_set_max_proto_version(foreign.context(), version);
    if (version == TLS1_3_VERSION) SSL_CTX_set_ciphersuites(foreign.context(), name);
    if (version == TLS1_2_VERSION) SSL_CTX_set_cipher_list(foreign.context(), name);
    auto accepted = accept(foreign, kernel_server());
    ASSERT_TRUE(accepted.ok());
    stream = std::move(*accepted);
    ASSERT_STREQ(SSL_get_cipher(foreign.session()), name);
    ASSERT_TRUE(by_kernel(*stream));
  }
  void TearDown() override {
    if (stream) stream->abort();
  }
  Bytes foreign_reads(std::size_t size) {
    Bytes out(size);
    std::size_t at = 0, n = 0;
    while (at < size && SSL_read_ex(foreign.session(), out.data() + at, size - at, &n) == 1)
      at += n;
    out.resize(at);
    return out;
  }

  test::ForeignTls foreign;
  StreamPtr stream;
};

TEST_P(KernelCipher, is_understood) {
  const Bytes sent = sample(1024 * 1024 + 1);
  auto reading = std::async(std::launch::async, [&] { return foreign_reads(sent.size()); });
  EXPECT_TRUE(loop.run(stream->write(sent)).ok());
  EXPECT_TRUE(loop.run(stream->shutdown_write()).ok());
  EXPECT_TRUE(reading.get() == sent);
  ASSERT_EQ(SSL_write(foreign.session(), "thanks", 6), 6);
  EXPECT_EQ(*read(*stream), "thanks");
  EXPECT_TRUE(foreign_reads(1).empty());
  EXPECT_NE(SSL_get_shutdown(foreign.session()) & SSL_RECEIVED_SHUTDOWN, 0);
}

INSTANTIATE_TEST_SUITE_P(Each, KernelCipher,
                         ::testing::Values(Cipher{"TLS_AES_128_GCM_SHA256", TLS1_3_VERSION},
                                           Cipher{"TLS_AES_256_GCM_SHA384", TLS1_3_VERSION},
                                           Cipher{"TLS_CHACHA20_POLY1305_SHA256", TLS1_3_VERSION},
                                           Cipher{"ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION},
                                           Cipher{"ECDHE-ECDSA-AES256-GCM-SHA384", TLS1_2_VERSION}),
                         [](const auto& each) {
                           std::string name = each.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class KernelKeys : public KernelCipher {};

TEST_P(KernelKeys, new_keys_of_the_peer_are_followed) {
  foreign.send(foreign.key_updates(100) + foreign.record("x"));
  EXPECT_EQ(*read(*stream), "x");
  EXPECT_TRUE(loop.run(stream->write(as_bytes("and back"))).ok());
  EXPECT_EQ(as_text(foreign_reads(8)), "and back");
}

TEST_P(KernelKeys, what_is_no_tls_ends_the_writing_too) {
  foreign.send(std::string(2 * 5 + 32, '\0'));
  EXPECT_FALSE(read(*stream).ok());
  EXPECT_FALSE(loop.run(stream->write(as_bytes("goes on"))).ok());
  EXPECT_TRUE(foreign_reads(1).empty());
}

TEST_P(KernelKeys, a_peer_that_asks_for_new_keys_of_ours_gets_nothing_more) {
  SSL_key_update(foreign.session(), SSL_KEY_UPDATE_REQUESTED);
  ASSERT_EQ(SSL_write(foreign.session(), "x", 1), 1);
  EXPECT_EQ(*read(*stream), "x");
  const Status written = loop.run(stream->write(as_bytes("with the old keys")));
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code(), "stream_failed");
  loop.run(stream->close());
  EXPECT_TRUE(foreign_reads(1).empty());
  EXPECT_EQ(SSL_get_shutdown(foreign.session()) & SSL_RECEIVED_SHUTDOWN, 0) << "an orderly end";
}

INSTANTIATE_TEST_SUITE_P(Of13, KernelKeys,
                         ::testing::Values(Cipher{"TLS_AES_128_GCM_SHA256", TLS1_3_VERSION}));

}  // namespace
}  // namespace convoy::net
