#include "registry/events/event_hub.hpp"

#include <algorithm>
#include <utility>

namespace convoy::registry {

Result<std::unique_ptr<EventHub>> EventHub::make(Webhook::Needs needs,
                                                 std::vector<WebhookOptions> options) {
  std::string prefix = needs.random.hex(8);
  auto out = std::make_unique<EventHub>(std::move(needs), std::move(prefix));
  for (auto& one : options) {
    auto webhook = Webhook::make(out->needs_, std::move(one));
    if (!webhook) return std::move(webhook).error();
    out->webhooks_.push_back(std::move(*webhook));
  }
  return out;
}

EventHub::EventHub(Webhook::Needs needs, std::string prefix)
    : needs_(std::move(needs)), prefix_(std::move(prefix)), tasks_(needs_.executor) {}

bool EventHub::wants(EventKind kind) const {
  return std::any_of(webhooks_.begin(), webhooks_.end(),
                     [&](const auto& webhook) { return webhook->wants(kind); });
}

void EventHub::post(Event event) {
  if (!wants(event.kind)) return;
  const std::lock_guard lock(mutex_);
  event.id = prefix_ + '-' + std::to_string(next_++);
  event.time = needs_.clock.wall();
  event.posted = needs_.clock.steady();
  const EventPtr shared = std::make_shared<const Event>(std::move(event));
  for (auto& webhook : webhooks_) {
    if (webhook->wants(*shared)) webhook->add(shared);
  }
}

void EventHub::wake() {
  for (auto& webhook : webhooks_) webhook->wake();
}

Status EventHub::replace_secrets(const std::vector<WebhookOptions>& options) {
  for (const auto& one : options) {
    if (auto good = Webhook::check(one); !good) return good;
  }
  for (const auto& one : options) {
    for (auto& webhook : webhooks_) {
      if (webhook->name() == one.name) webhook->replace_secret(one.secret);
    }
  }
  return {};
}

void EventHub::start() {
  for (auto& webhook : webhooks_) {
    tasks_.spawn([hook = webhook.get()] { return hook->run(); });
  }
}

net::Task<void> EventHub::stop(Duration grace) {
  const Deadline end = Deadline::in(needs_.clock, grace);
  for (auto& webhook : webhooks_) webhook->hurry();
  for (auto& webhook : webhooks_) {
    const Duration left = end.time() - needs_.clock.steady();
    co_await webhook->over(std::max(left, Duration::zero()));
  }
  for (auto& webhook : webhooks_) webhook->end();
  co_await tasks_.stop();
}

}  // namespace convoy::registry
