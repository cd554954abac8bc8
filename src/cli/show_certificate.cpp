#include "cli/show_certificate.hpp"

#include <chrono>

#include "crypto/certificate.hpp"

namespace convoy::cli {

namespace {

std::string validity(const crypto::Certificate& certificate, UnixTime now) {
  std::string out =
      to_rfc3339(certificate.not_before()) + " to " + to_rfc3339(certificate.not_after());
  const auto days = std::chrono::floor<std::chrono::days>(certificate.not_after() - now).count();
  if (now >= certificate.not_after()) return out + " (EXPIRED)";
  if (now < certificate.not_before()) return out + " (NOT YET VALID)";
  if (days == 0) return out + " (less than a day left)";
  return out + " (" + std::to_string(days) + " days left)";
}

/// Names come from whoever made the certificate: nothing of them may steer a terminal.
std::string clean(std::string_view text) {
  std::string out;
  for (const char c : text) out += (c >= ' ' && c <= '~') ? c : '?';
  return out;
}

std::string show(const crypto::Certificate& certificate, UnixTime now) {
  std::string out;
  out += "subject      " + clean(certificate.common_name()) + "\n";
  out += "kind         " + std::string(certificate.is_ca() ? "CA" : "leaf") + "\n";
  for (const std::string& uri : certificate.uris()) out += "uri          " + clean(uri) + "\n";
  for (const std::string& name : certificate.dns_names())
    out += "dns          " + clean(name) + "\n";
  out += "valid        " + validity(certificate, now) + "\n";
  out += "serial       " + certificate.serial_hex() + "\n";
  out += "sha256 (pin) " + to_hex(certificate.thumbprint()) + "\n";
  out += "key id       " + certificate.public_key().thumbprint() + "\n";
  return out;
}

}  // namespace

Result<std::string> show_certificates(std::string_view pem, UnixTime now) {
  auto chain = crypto::Certificate::chain_from_pem(pem);
  if (!chain) return std::move(chain).error();
  std::string out;
  for (const crypto::Certificate& certificate : *chain) {
    if (!out.empty()) out += "\n";
    out += show(certificate, now);
  }
  return out;
}

}  // namespace convoy::cli
