#include <array>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/sockaddr.hpp"
#include "net/socket.hpp"
#include "net/tcp.hpp"
#include "support/net_loop.hpp"
#include "support/net_pair.hpp"

namespace convoy::net {
namespace {

using std::chrono::seconds;
using test::Loop;

const Endpoint kHere{"127.0.0.1", 0};

std::string in_use(int fd) {
  std::array<char, 16> name{};
  socklen_t length = name.size();
  EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length), 0);
  return name.data();
}

std::string in_use(Stream& stream) { return in_use(test::fd_of(stream)); }

bool paced(int fd) {
  std::uint64_t most = 0;
  socklen_t length = sizeof most;
  EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &most, &length), 0);
  return most != UINT64_MAX;
}

bool paced(Stream& stream) { return paced(test::fd_of(stream)); }

int new_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); }

TEST(CongestionControl, is_what_was_asked_for_where_the_kernel_has_it) {
  Loop loop;
  Socket socket(loop.executor(), new_socket());
  const Endpoint elsewhere{"192.0.2.1", 443};
  const std::string machines = in_use(socket.fd());
  set_congestion_control(socket.fd(), elsewhere, "");
  EXPECT_EQ(in_use(socket.fd()), machines);
  EXPECT_FALSE(paced(socket.fd()));
  set_congestion_control(socket.fd(), elsewhere, "reno");
  EXPECT_EQ(in_use(socket.fd()), "reno");
  EXPECT_TRUE(paced(socket.fd()));
  set_congestion_control(socket.fd(), elsewhere, "no-such-thing");
  EXPECT_EQ(in_use(socket.fd()), "reno");
}

TEST(CongestionControl, of_both_ends_is_reno_on_loopback_unless_another_is_named) {
  Loop loop;
  Socket probe(loop.executor(), new_socket());
  set_congestion_control(probe.fd(), kHere, "cubic");
  const std::string cubic = in_use(probe.fd());  // or what this kernel has instead
  for (const auto& [asked, got] :
       {std::pair<std::string, std::string>{"", "reno"}, {"cubic", cubic}}) {
    auto listener = Listener::open(loop.executor(), kHere, asked).value();
    const auto port = listener->local().port;
    auto client =
        loop.run(tcp_connect(loop.executor(), "127.0.0.1", port, seconds(5), std::nullopt, asked));
    auto server = loop.run(listener->accept());
    EXPECT_EQ(in_use(*client.value()), got);
    EXPECT_EQ(in_use(*server.value()), got);
    EXPECT_FALSE(paced(*client.value()));
    EXPECT_FALSE(paced(*server.value()));
  }
}

TEST(CongestionControl, what_is_accepted_is_paced_as_its_listener_is) {
  Loop loop;
  auto listener = Listener::open(loop.executor(), {"0.0.0.0", 0}, "cubic").value();
  const auto port = listener->local().port;
  auto client = loop.run(tcp_connect(loop.executor(), "127.0.0.1", port, seconds(5)));
  auto server = loop.run(listener->accept());
  EXPECT_TRUE(paced(*server.value()));
}

TEST(Endpoint, loopback_is_this_machine_alone) {
  for (const char* ip : {"127.0.0.1", "127.8.9.10", "::1"})
    EXPECT_TRUE((Endpoint{ip, 1}.loopback()));
  for (const char* ip : {"0.0.0.0", "::", "10.127.0.1", "::2", ""}) {
    EXPECT_FALSE((Endpoint{ip, 1}.loopback())) << ip;
  }
}

}  // namespace
}  // namespace convoy::net
