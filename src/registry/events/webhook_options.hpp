#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "wire/http/message.hpp"

namespace convoy::registry {

/// One receiver of events.
struct WebhookOptions {
  static constexpr std::size_t kLeastSecret = 16;

  std::string name;  ///< in logs and metrics
  http::Url url;     ///< its target may hold a token and is never logged
  bool push = true;
  bool pull = false;
  bool remove = true;                           ///< of manifests and tags
  std::vector<std::string> repositories{"**"};  ///< patterns as in grants
  Secret secret;                                ///< signs each request; kLeastSecret bytes or more
  std::string roots_pem;                        ///< trust in it; empty: the machine's store
  Duration timeout = std::chrono::seconds(10);  ///< of one attempt
  std::size_t queue = 1000;                     ///< events that may wait
  Duration retry_for = std::chrono::hours(1);   ///< since it happened; then it is given up
};

}  // namespace convoy::registry
