#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "registry/events/webhook.hpp"

namespace convoy::registry {

/// Gives what happened in the registry to each webhook that wants it. Events live in memory alone.
class EventHub {
 public:
  /// Clock, random and metrics of `needs` must outlive it. Error "option_invalid" names the
  /// webhook.
  static Result<std::unique_ptr<EventHub>> make(Webhook::Needs needs, std::vector<WebhookOptions>);
  EventHub(Webhook::Needs needs, std::string prefix);

  /// Whether posting such events has any use.
  bool wants(EventKind) const;
  /// Sets its id and time. Never waits. From any thread; wake() must follow.
  void post(Event);
  /// All else belongs to the loop's thread.
  void wake();
  /// Of those webhooks that have the same names. Error "option_invalid": none was replaced.
  Status replace_secrets(const std::vector<WebhookOptions>&);
  void start();
  /// Tries what is left for up to `grace`, then counts it as lost.
  net::Task<void> stop(Duration grace);

 private:
  Webhook::Needs needs_;
  std::string prefix_;  // of ids, so that no two starts make the same
  std::mutex mutex_;    // ids in the order of queues
  std::uint64_t next_ = 1;
  std::vector<std::unique_ptr<Webhook>> webhooks_;
  net::TaskGroup tasks_;
};

}  // namespace convoy::registry
