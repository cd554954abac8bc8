#pragma once

#include <string_view>

#include "base/log.hpp"
#include "net/metrics.hpp"

namespace convoy::net {

/// Tells the operator that somebody keeps failing to log in: a warning in the log and
/// `convoy_login_alerts_total`. `metrics` outlives it.
class LoginAlert {
 public:
  LoginAlert(Metrics& metrics, Logger log);
  /// `user` as the client named it; "" where there are none.
  void raise(std::string_view user, std::string_view ip) const;

 private:
  Counter* total_;
  Logger log_;
};

}  // namespace convoy::net
