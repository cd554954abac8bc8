#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "wire/bt/zone.hpp"
#include "wire/http/message.hpp"

// The value types of configuration keys. Each is valid once it has left the parser.
namespace convoy::config {

bool is_ip_address(const std::string&);

struct ByteSize {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};

/// Bytes a second; 0 is no limit.
struct Rate {
  std::uint64_t bytes_per_second = 0;
  auto operator<=>(const Rate&) const = default;
};

/// "IP:PORT", "[IPv6]:PORT"; `port` 0 takes a free one. An empty `ip` is "off" where the key allows
/// it.
struct Address {
  std::string ip;
  std::uint16_t port = 0;
  bool empty() const { return ip.empty(); }
  bool loopback() const;
  std::string str() const;
  bool operator==(const Address&) const = default;
};

/// An http or https URL with nothing behind the authority ("https://host:port").
struct BaseUrl {
  std::optional<http::Url> url;
  bool empty() const { return !url.has_value(); }
};

/// An http or https URL, with whatever path and query. Its text may hold a token.
struct HookUrl {
  std::optional<http::Url> url;
};

/// A file or folder, relative ones counted from the folder of the configuration file.
struct Path {
  std::string text;
  bool empty() const { return text.empty(); }
};

/// Where a secret is: a file or an environment variable. The secret itself is never in a
/// configuration.
struct SecretSource {
  enum class Kind : std::uint8_t { none, file, environment };
  Kind kind = Kind::none;
  std::string where;
  bool empty() const { return kind == Kind::none; }
};

/// host[:port] of a registry as in image references; "" is none.
struct RegistryName {
  std::string text;
  bool empty() const { return text.empty(); }
};

/// A name that goes into a SPIFFE id: 1 to 63 of [a-z0-9.-], no '.' or '-' at either end.
struct Name {
  std::string text;
  bool empty() const { return text.empty(); }
};

}  // namespace convoy::config
