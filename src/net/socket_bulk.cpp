#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

#include "net/socket_watch.hpp"
#include "net/steady.hpp"
#include "net/task_group.hpp"

namespace convoy::net {
namespace {

/// SO_RCVBUF; the kernel doubles it and makes a window of two thirds of that. Two blocks have room.
constexpr int kNarrow = 30 * 1024;
/// What the kernel's own measure goes on from: it needs a window that the sender does not fill.
constexpr int kWide = 128 * 1024;
#ifndef SO_BUF_LOCK
constexpr int SO_BUF_LOCK = 72;  // Linux 5.14
#endif
/// A sender that sends nothing for so many naps may be waiting for an acknowledgement.
constexpr int kQuietNaps = 4;
/// The same where it is not known that more is to come.
constexpr int kFewNaps = 2;
/// What is read with no acknowledgement: less than a second packet.
constexpr std::size_t kPacket = 1448;

/// As in linux/tcp.h, for what glibc knows of it ends earlier.
struct TcpFacts {
  tcp_info known;
  std::array<std::uint64_t, 4> rates_and_bytes;
  std::array<std::uint32_t, 3> segments_and_unsent;
  std::uint32_t least_round_trip;  ///< microseconds, of the last five minutes
};
static_assert(offsetof(TcpFacts, least_round_trip) == 148);

bool set(int fd, int option, int value) {
  return ::setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) == 0;
}

}  // namespace

std::size_t Socket::readable() {
  int bytes = 0;
  if (!open() || ::ioctl(fd(), SIOCINQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

void Socket::set_receive_lowat(std::uint32_t bytes) {
  if (bytes == receive_lowat_ || !open()) return;
  receive_lowat_ = bytes;
  set(fd(), SO_RCVLOWAT, static_cast<int>(bytes));
}

void Socket::set_narrow(bool narrow) {
  // A size that was set stays, but where the kernel can be told to go on with its own.
  if (narrow == narrow_ || !open() || !set(fd(), SO_BUF_LOCK, 0)) return;
  narrow_ = narrow;
  set(fd(), SO_RCVBUF, narrow ? kNarrow : kWide);
  if (!narrow) set(fd(), SO_BUF_LOCK, 0);
}

Task<Status> Socket::wait_for(std::uint32_t bytes, bool thrifty, SteadyTime until) {
  set_narrow(thrifty && arrival_.slow());
  set_receive_lowat(narrow_ ? 1 : bytes);
  return narrow_ ? doze(bytes, kQuietNaps, until) : wait(Ready::read, Lane::reader, until);
}

Task<Status> Socket::gather(std::uint32_t bytes, SteadyTime until) {
  set_narrow(arrival_.slow());
  if (!narrow_) co_return Status{};
  if (readable() == 0) {
    set_receive_lowat(1);
    auto ready = co_await wait(Ready::read, Lane::reader, until);
    if (!ready) co_return ready;
  }
  const std::size_t there = readable();
  if (there <= kPacket || there >= bytes) co_return Status{};
  auto whole = co_await doze(bytes, kFewNaps, until);
  co_return whole;
}

Task<Status> Socket::doze(std::uint32_t bytes, int naps, SteadyTime until) {
  const auto watch = watch_;
  const SteadyTime began = steady_now();
  std::size_t there = readable();
  const std::size_t lacked = bytes - std::min<std::size_t>(bytes, there);
  for (int quiet = 0; there < bytes && quiet < naps && steady_now() < until;) {
    const bool slept = co_await sleep_for(arrival_.nap());
    // Without an owner the socket is closed, and may be gone.
    if (!slept || watch->owner == nullptr) co_return cancelled();
    const std::size_t before = std::exchange(there, readable());
    quiet = there > before ? 0 : quiet + 1;
  }
  if (there >= bytes && lacked > bytes / 2) note_arrival(lacked, steady_now() - began);
  if (there == 0) co_return co_await wait(Ready::read, Lane::reader, until);
  budget_ = kBurst;
  co_return Status{};
}

void Socket::note_arrival(std::size_t bytes, Duration elapsed) {
  TcpFacts facts{};
  socklen_t length = sizeof facts;
  if (::getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &facts, &length) != 0) return;
  arrival_.took(bytes, elapsed, std::chrono::microseconds(facts.known.tcpi_rtt),
                std::chrono::microseconds(facts.least_round_trip));
}

}  // namespace convoy::net
