#include "config/codec.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "config/quantity.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::config {

namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxItems = 10'000;

/// A value as a fault may show it: on one line, not too long.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string out = "'";
  for (const char c : text.substr(0, kMost)) out += (c >= ' ' && c != '\x7f') ? c : '?';
  return out + (text.size() > kMost ? "…'" : "'");
}

Problem wrong_kind(std::string_view wanted, const Node& node) {
  return {"must be " + std::string(wanted) + ", not " + std::string(to_string(node.kind)), ""};
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

/// Text in quotes that is neither empty nor absurd, or the problem with it.
Read<std::string> read_text(const Node& node, std::string_view wanted) {
  if (node.kind != Node::Kind::text) return wrong_kind(wanted, node);
  if (node.text.size() > kMaxText) return Problem{"is longer than 4096 characters", ""};
  const bool control = std::any_of(node.text.begin(), node.text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  if (control) return Problem{"holds a control character", ""};
  return node.text;
}

/// `make` turns the text into the value, or into nothing.
template <class T, class Make>
Read<T> read_by(const Node& node, std::string_view wanted, Make make) {
  Read<std::string> text = read_text(node, wanted);
  if (auto* problem = std::get_if<Problem>(&text)) return std::move(*problem);
  std::optional<T> value = make(std::get<std::string>(text));
  if (value) return *std::move(value);
  return Problem{"must be " + std::string(wanted) + ", not " + shown(node.text), ""};
}

std::optional<Address> address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Address out;
  std::string_view ip = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool brackets = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (brackets) ip = ip.substr(1, ip.size() - 2);
  if (brackets != (ip.find(':') != std::string_view::npos)) return std::nullopt;
  out.ip = ip;
  if (!is_ip_address(out.ip)) return std::nullopt;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return out;
}

std::optional<BaseUrl> base_url(const std::string& text) {
  Result<http::Url> url = http::parse_url(text);
  if (!url || (url->target != "/" && !url->target.empty())) return std::nullopt;
  return BaseUrl{std::move(url).value()};
}

std::optional<RegistryName> registry_name(const std::string& text) {
  const Result<oci::RegistryHost> host = oci::RegistryHost::parse(text);
  if (!host) return std::nullopt;
  return RegistryName{host->str()};
}

std::optional<Name> name(const std::string& text) {
  constexpr std::size_t kLongest = 63;
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789.-";
  if (text.empty() || text.size() > kLongest) return std::nullopt;
  if (text.find_first_not_of(kAlphabet) != std::string::npos) return std::nullopt;
  const auto edge = [](char c) { return c == '.' || c == '-'; };
  if (edge(text.front()) || edge(text.back())) return std::nullopt;
  return Name{text};
}

bool variable_name(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  return !text.empty() && text.find_first_not_of(kAlphabet) == std::string_view::npos &&
         (text.front() < '0' || text.front() > '9');
}

}  // namespace

bool is_ip_address(const std::string& text) {
  in6_addr ignored{};
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

bool Address::loopback() const {
  return ip == "::1" || (ip.starts_with("127.") && ip.find(':') == std::string::npos);
}

std::string Address::str() const {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

std::string_view Codec<std::string>::name() { return "text"; }
Read<std::string> Codec<std::string>::read(const Node& node) { return read_text(node, "text"); }
std::string Codec<std::string>::print(const std::string& v) { return v.empty() ? "" : quoted(v); }

std::string_view Codec<bool>::name() { return "true/false"; }
Read<bool> Codec<bool>::read(const Node& node) {
  if (node.kind != Node::Kind::boolean) return wrong_kind("true or false", node);
  return node.boolean;
}
std::string Codec<bool>::print(const bool& v) { return v ? "true" : "false"; }

std::string_view Codec<std::uint64_t>::name() { return "number"; }
Read<std::uint64_t> Codec<std::uint64_t>::read(const Node& node) {
  if (node.kind != Node::Kind::integer) return wrong_kind("a whole number", node);
  if (node.integer < 0) return Problem{"must not be negative", ""};
  return static_cast<std::uint64_t>(node.integer);
}
std::string Codec<std::uint64_t>::print(const std::uint64_t& v) { return std::to_string(v); }

std::string_view Codec<std::chrono::milliseconds>::name() { return "duration"; }
Read<std::chrono::milliseconds> Codec<std::chrono::milliseconds>::read(const Node& node) {
  return read_by<std::chrono::milliseconds>(node, "a duration like \"10s\", \"5m\" or \"24h\"",
                                            parse_duration);
}
std::string Codec<std::chrono::milliseconds>::print(const std::chrono::milliseconds& v) {
  return quoted(print_duration(v));
}

std::string_view Codec<ByteSize>::name() { return "size"; }
Read<ByteSize> Codec<ByteSize>::read(const Node& node) {
  return read_by<ByteSize>(node, "a size like \"64KiB\" or \"4MiB\"",
                           [](const std::string& text) -> std::optional<ByteSize> {
                             const auto bytes = parse_size(text);
                             if (!bytes) return std::nullopt;
                             return ByteSize{*bytes};
                           });
}
std::string Codec<ByteSize>::print(const ByteSize& v) { return quoted(print_size(v.bytes)); }

std::string_view Codec<Rate>::name() { return "rate"; }
Read<Rate> Codec<Rate>::read(const Node& node) {
  return read_by<Rate>(node, "a rate like \"50MB/s\" or \"400Mbit/s\", or \"unlimited\"",
                       [](const std::string& text) -> std::optional<Rate> {
                         const auto rate = parse_rate(text);
                         if (!rate) return std::nullopt;
                         return Rate{*rate};
                       });
}
std::string Codec<Rate>::print(const Rate& v) { return quoted(print_rate(v.bytes_per_second)); }

std::string_view Codec<Address>::name() { return "address"; }
Read<Address> Codec<Address>::read(const Node& node) {
  if (node.kind == Node::Kind::text && node.text == "off") return Address{};
  Read<Address> out =
      read_by<Address>(node, "an IP address and a port, \"127.0.0.1:5001\"", address);
  if (auto* problem = std::get_if<Problem>(&out)) {
    if (node.kind == Node::Kind::text) {
      problem->hint =
          "Names are not looked up here; \"0.0.0.0:PORT\" is every IPv4 address, "
          "\"[::]:PORT\" every address.";
    }
  }
  return out;
}
std::string Codec<Address>::print(const Address& v) { return quoted(v.empty() ? "off" : v.str()); }

std::string_view Codec<BaseUrl>::name() { return "URL"; }
Read<BaseUrl> Codec<BaseUrl>::read(const Node& node) {
  return read_by<BaseUrl>(node, "a URL like \"https://tracker.example:5443\", without a path",
                          base_url);
}
std::string Codec<BaseUrl>::print(const BaseUrl& v) {
  return v.empty() ? "" : quoted(v.url->str());
}

// Such a URL often holds a token: no message shows it.
std::string_view Codec<HookUrl>::name() { return "URL with path"; }
Read<HookUrl> Codec<HookUrl>::read(const Node& node) {
  const Read<std::string> text = read_text(node, "text");
  if (std::holds_alternative<std::string>(text)) {
    if (Result<http::Url> url = http::parse_url(node.text)) return HookUrl{std::move(url).value()};
  }
  return Problem{"must be an http: or https: URL without user, password and fragment",
                 "\"https://ci.example/hooks/convoy\""};
}
std::string Codec<HookUrl>::print(const HookUrl&) { return ""; }

std::string_view Codec<Path>::name() { return "path"; }
Read<Path> Codec<Path>::read(const Node& node) {
  return read_by<Path>(node, "a path", [](const std::string& text) -> std::optional<Path> {
    if (text.empty()) return std::nullopt;
    return Path{text};
  });
}
std::string Codec<Path>::print(const Path& v) { return v.empty() ? "" : quoted(v.text); }

// What stands here by mistake may be the secret itself: no message shows the value.
std::string_view Codec<SecretSource>::name() { return "path or env:NAME"; }
Read<SecretSource> Codec<SecretSource>::read(const Node& node) {
  const Problem problem = {"must be the path of a file, with a '/', or \"env:NAME\"",
                           "A secret itself never stands in this file: put it into a file of mode "
                           "0600 and write its path here."};
  const Read<std::string> text = read_text(node, "text");
  if (std::holds_alternative<Problem>(text)) return problem;
  if (node.text.starts_with("env:")) {
    const std::string variable = node.text.substr(4);
    if (!variable_name(variable)) return problem;
    return SecretSource{SecretSource::Kind::environment, variable};
  }
  if (node.text.find('/') == std::string::npos) return problem;
  return SecretSource{SecretSource::Kind::file, node.text};
}
std::string Codec<SecretSource>::print(const SecretSource&) { return ""; }

std::string_view Codec<RegistryName>::name() { return "host[:port]"; }
Read<RegistryName> Codec<RegistryName>::read(const Node& node) {
  return read_by<RegistryName>(node, "a registry as image names have it, \"registry.example:5000\"",
                               registry_name);
}
std::string Codec<RegistryName>::print(const RegistryName& v) {
  return v.empty() ? "" : quoted(v.text);
}

std::string_view Codec<Name>::name() { return "name"; }
Read<Name> Codec<Name>::read(const Node& node) {
  return read_by<Name>(node, "a name of 1 to 63 characters a-z, 0-9, '.' and '-'", config::name);
}
std::string Codec<Name>::print(const Name& v) { return v.empty() ? "" : quoted(v.text); }

std::string_view Codec<bt::Zone>::name() { return "zone label"; }
Read<bt::Zone> Codec<bt::Zone>::read(const Node& node) {
  return read_by<bt::Zone>(node, "at most 63 characters a-z, A-Z, 0-9, '.', '-' and '_'",
                           [](const std::string& text) -> std::optional<bt::Zone> {
                             auto zone = bt::Zone::parse(text);
                             return zone ? std::optional(*std::move(zone)) : std::nullopt;
                           });
}
std::string Codec<bt::Zone>::print(const bt::Zone& v) { return v.common() ? "" : quoted(v.str()); }

namespace {
constexpr std::array<std::pair<std::string_view, LogLevel>, 5> kLevels = {{
    {"debug", LogLevel::debug},
    {"info", LogLevel::info},
    {"warn", LogLevel::warn},
    {"error", LogLevel::error},
    {"off", LogLevel::off},
}};
}  // namespace

std::string_view Codec<LogLevel>::name() { return "level"; }
Read<LogLevel> Codec<LogLevel>::read(const Node& node) {
  return read_by<LogLevel>(node, "debug, info, warn, error or off",
                           [](const std::string& text) -> std::optional<LogLevel> {
                             for (const auto& [word, level] : kLevels) {
                               if (word == text) return level;
                             }
                             return std::nullopt;
                           });
}
std::string Codec<LogLevel>::print(const LogLevel& v) {
  return quoted(kLevels[static_cast<std::size_t>(v)].first);
}

std::string_view Codec<std::vector<std::string>>::name() { return "list of text"; }
Read<std::vector<std::string>> Codec<std::vector<std::string>>::read(const Node& node) {
  if (node.kind != Node::Kind::list) return wrong_kind("a list like [\"a\", \"b\"]", node);
  if (node.items.size() > kMaxItems) return Problem{"has more than 10000 entries", ""};
  std::vector<std::string> out;
  for (const Node& item : node.items) {
    Read<std::string> text = read_text(item, "a list of text");
    if (auto* problem = std::get_if<Problem>(&text)) return std::move(*problem);
    if (item.text.empty()) return Problem{"has an empty entry", ""};
    out.push_back(std::get<std::string>(std::move(text)));
  }
  return out;
}
std::string Codec<std::vector<std::string>>::print(const std::vector<std::string>& v) {
  std::string out = "[";
  for (const std::string& item : v) out += (out.size() > 1 ? ", " : "") + quoted(item);
  return out + "]";
}

}  // namespace convoy::config
