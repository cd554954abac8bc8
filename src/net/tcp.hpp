#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "net/stream.hpp"
#include "net/task_group.hpp"

namespace convoy::net {

/// TCP_CONGESTION by the kernel's name ("cubic"), from the first packet on and paced. Where this
/// process may not have it, and for "", the machine's. On loopback addresses nothing is paced, and
/// "" is "reno".
using CongestionControl = std::string;

/// Resolves and connects, trying each address in turn within `timeout`. `bind_ip`: the local
/// address to leave from. Errors: "connect_failed" (unavailable), "resolve_failed",
/// "connect_timeout".
Task<Result<StreamPtr>> tcp_connect(Executor, std::string host, std::uint16_t port,
                                    Duration timeout, std::optional<std::string> bind_ip = {},
                                    CongestionControl = {});

/// A listening socket. Port 0 takes a free one; local() says which.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Error "listen_failed" names the address and the reason.
  static Result<std::unique_ptr<Listener>> open(Executor, const Endpoint&,
                                                const CongestionControl& = {});
  virtual const Endpoint& local() const = 0;
  /// The next connection. Fails with "cancelled" after close(); passing trouble (EMFILE) is
  /// waited out inside.
  virtual Task<Result<StreamPtr>> accept() = 0;
  virtual void close() noexcept = 0;
};

/// "host:port" or "[v6]:port"; the host is an IPv4 address or a name (tcp_connect resolves one, a
/// Listener refuses it). Error "endpoint_invalid".
Result<Endpoint> parse_endpoint(std::string_view);

}  // namespace convoy::net
