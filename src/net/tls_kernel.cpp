#include "net/tls_kernel.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace convoy::net::tls {

bool kernel_has_tls() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  static constexpr char kName[] = "tls";
  const int set = ::setsockopt(fd, IPPROTO_TCP, TCP_ULP, kName, sizeof kName - 1);
  // What it says of a socket that is not connected, once it has found the module.
  const bool has = set != 0 && errno == ENOTCONN;
  ::close(fd);
  return has;
}

}  // namespace convoy::net::tls
