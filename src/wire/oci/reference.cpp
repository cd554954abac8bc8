#include "wire/oci/reference.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <optional>

namespace convoy::oci {
namespace {

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool word(char c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

/// One path component: runs of [a-z0-9] joined by ".", "_", "__" or any number of "-".
bool valid_component(std::string_view text) {
  if (text.empty() || !lower_or_digit(text.front()) || !lower_or_digit(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const auto end =
        std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), lower_or_digit) -
        text.begin();
    const auto joint = text.substr(i, static_cast<std::size_t>(end) - i);
    const bool dashes = joint.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && joint != "." && joint != "_" && joint != "__") return false;
    i = static_cast<std::size_t>(end);
  }
  return true;
}

bool valid_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && lower_or_digit(label.front()) &&
         lower_or_digit(label.back()) && std::all_of(label.begin(), label.end(), [](char c) {
           return lower_or_digit(c) || c == '-';
         });
}

bool valid_domain(std::string_view host) {
  for (;;) {
    const auto dot = host.find('.');
    if (!valid_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

bool valid_ipv6(std::string_view host) {
  if (std::any_of(host.begin(), host.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return false;
  }
  in6_addr address;
  return ::inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1;
}

/// 0 when `text` is no port in its one spelling.
std::uint16_t port_number(std::string_view text) {
  std::uint16_t port = 0;
  if (text.empty() || text.front() == '0') return 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() ? port : std::uint16_t{0};
}

struct HostParts {
  std::string_view host;
  std::optional<std::string_view> port;
  bool bracketed = false;
};

HostParts split_host(std::string_view text) {
  HostParts parts;
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = std::min(text.find(']'), text.size() - 1);
    parts.host = text.substr(1, end - 1);
    parts.bracketed = text[end] == ']';
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    parts.host = text.substr(0, end);
  }
  if (end < text.size()) parts.port = text.substr(end);
  return parts;
}

}  // namespace

Result<RepoName> RepoName::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxLength) return invalid("name_invalid", "length");
  auto rest = text;
  for (;;) {
    const auto slash = rest.find('/');
    if (!valid_component(rest.substr(0, slash))) return invalid("name_invalid", "component");
    if (slash == std::string_view::npos) return RepoName(std::string(text));
    rest.remove_prefix(slash + 1);
  }
}

Result<Tag> Tag::parse(std::string_view text) {
  if (text.empty() || text.size() > 128) return invalid("tag_invalid", "length");
  const bool good = word(text.front()) && std::all_of(text.begin(), text.end(), [](char c) {
                      return word(c) || c == '.' || c == '-';
                    });
  if (!good) return invalid("tag_invalid", "character");
  return Tag(std::string(text));
}

Result<Reference> parse_reference(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    auto digest = Digest::parse(text);
    if (!digest) return std::move(digest).error();
    return Reference(*digest);
  }
  auto tag = Tag::parse(text);
  if (!tag) return std::move(tag).error();
  return Reference(*std::move(tag));
}

std::string to_string(const Reference& reference) {
  return std::visit([](const auto& r) { return std::string(r.str()); }, reference);
}

Result<RegistryHost> RegistryHost::parse(std::string_view text) {
  if (text.empty() || text.size() > 255) return invalid("registry_invalid", "length");
  if (text.find('\0') != std::string_view::npos) return invalid("registry_invalid", "character");
  const auto parts = split_host(text);
  const bool literal = text.starts_with('[');
  if (literal != parts.bracketed || (literal && !valid_ipv6(parts.host)) ||
      (!literal && !valid_domain(parts.host))) {
    return invalid("registry_invalid", "host");
  }
  if (parts.port && (!parts.port->starts_with(':') || port_number(parts.port->substr(1)) == 0)) {
    return invalid("registry_invalid", "port");
  }
  return RegistryHost(std::string(text));
}

std::string RegistryHost::host() const { return std::string(split_host(text_).host); }

std::uint16_t RegistryHost::port() const {
  const auto parts = split_host(text_);
  return parts.port ? port_number(parts.port->substr(1)) : std::uint16_t{443};
}

}  // namespace convoy::oci
