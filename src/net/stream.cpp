#include "net/stream.hpp"

namespace convoy::net {

bool Endpoint::loopback() const { return ip == "::1" || ip.starts_with("127."); }

std::string Endpoint::str() const {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

Task<Status> Stream::shutdown_write() { co_return Status{}; }

}  // namespace convoy::net
