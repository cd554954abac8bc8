#include "net/login_alert.hpp"

#include <utility>

namespace convoy::net {
namespace {

/// As in the audit: what is no name of ours is cut short.
constexpr std::size_t kMaxUser = 64;

}  // namespace

LoginAlert::LoginAlert(Metrics& metrics, Logger log)
    : total_(&metrics.counter("convoy_login_alerts_total",
                              "Rows of failed logins by a user or from an address.")),
      log_(std::move(log)) {}

void LoginAlert::raise(std::string_view user, std::string_view ip) const {
  total_->add();
  log_.warn("logins keep failing", {{"user", user.substr(0, kMaxUser)}, {"ip", ip}});
}

}  // namespace convoy::net
