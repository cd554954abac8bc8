#pragma once

#include <memory>

#include "base/log.hpp"
#include "net/http_client.hpp"
#include "net/task_group.hpp"
#include "net/tls.hpp"

namespace convoy::net {

/// When the stapler asks.
struct OcspPace {
  Duration least = std::chrono::minutes(1);  ///< between two rounds
  Duration most = std::chrono::hours(12);    ///< between an answer and the next round
  Duration patience = std::chrono::seconds(10);
};

/// Keeps a server's certificate stapled (RFC 6066 8): asks its responder in the background, again
/// in the middle of the time that the answer holds, and after a failure at growing intervals. No
/// handshake waits for it; without an answer the server serves without. One thread.
class OcspStapler {
 public:
  OcspStapler(Executor, std::shared_ptr<TlsServerContext>, const Clock&, Logger, OcspPace = {});
  /// Until cancelled.
  Task<void> run();
  /// The identity was replaced.
  void renew();

 private:
  Task<Duration> round();
  Task<Result<OcspTimes>> ask(OcspQuery);
  Duration after_failure();

  std::shared_ptr<TlsServerContext> tls_;
  const Clock& clock_;
  Logger log_;
  const OcspPace pace_;
  HttpClient client_;
  Notify wake_;
  bool again_ = false;
  unsigned failures_ = 0;  ///< in a row
};

}  // namespace convoy::net
