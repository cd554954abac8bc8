#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "base/random.hpp"
#include "net/http_client.hpp"
#include "net/metrics.hpp"
#include "net/task_group.hpp"
#include "registry/events/delivery.hpp"
#include "registry/events/event_queue.hpp"
#include "registry/events/webhook_options.hpp"

namespace convoy::registry {

/// Delivers events to one receiver, one after the other, each at least once unless it is lost: the
/// queue was full, the receiver refused it, or did not take it in time. Losses are counted, and
/// logged once a minute. One thread but for add().
class Webhook {
 public:
  /// What all of them work with; must outlive them.
  struct Needs {
    net::Executor executor;
    const Clock& clock;
    Random& random;
    net::Metrics& metrics;
    Logger log;
    std::string source;
    RetryRules retry{};
  };

  /// What can be judged of options alone. Error "option_invalid".
  static Status check(const WebhookOptions&);
  /// Error "option_invalid".
  static Result<std::unique_ptr<Webhook>> make(const Needs&, WebhookOptions);
  Webhook(const Needs&, WebhookOptions, std::shared_ptr<net::TlsClientContext>);

  bool wants(EventKind) const;
  bool wants(const Event&) const;
  /// Never waits. From any thread; wake() must follow.
  void add(EventPtr);
  void wake() { wake_.notify_all(); }

  const std::string& name() const { return options_.name; }
  /// Signs what is sent from now on; check() was passed with it.
  void replace_secret(Secret secret) { secret_ = std::move(secret); }

  /// Until end(), or until it has delivered all after hurry().
  net::Task<void> run();
  /// From now on a failure ends it instead of being tried again.
  void hurry();
  /// Until run() is over; false at the time-out.
  net::Task<bool> over(Duration timeout);
  /// Call before its task is cancelled. Counts what was not delivered.
  void end();

 private:
  struct Attempt {
    Verdict verdict;
    std::string text;  ///< for the log
    std::optional<Duration> asked;
  };
  struct Losses {
    std::size_t overflow = 0;
    std::size_t refused = 0;
    std::size_t expired = 0;
    std::string last;
    std::size_t sum() const { return overflow + refused + expired; }
  };

  net::Task<void> deliver(EventPtr);
  net::Task<Attempt> attempt(EventPtr);
  net::HttpRequest request_for(const Event&) const;
  EventPtr take();
  void count(const char* outcome, std::size_t n = 1);
  void lose(std::size_t Losses::* kind, const char* outcome, const std::string& why);
  void tell_losses(bool now);
  void note_failure(const Attempt&);

  const Needs needs_;
  const WebhookOptions options_;  // but for the secret, which may be replaced
  Secret secret_;
  net::HttpClient client_;
  net::Notify wake_;
  net::Notify hurry_;
  net::Notify over_;
  net::Gauge& waiting_;
  std::mutex mutex_;  // of the three that follow
  EventQueue queue_;
  Losses losses_;  // not yet told
  std::optional<SteadyTime> told_;
  std::optional<SteadyTime> warned_;  // of failures
  unsigned failures_ = 0;             // in a row
  bool in_hand_ = false;
  bool hurried_ = false;
  bool ended_ = false;
  bool is_over_ = false;
};

}  // namespace convoy::registry
