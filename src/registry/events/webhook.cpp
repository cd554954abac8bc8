#include "registry/events/webhook.hpp"

#include <algorithm>
#include <utility>

#include "security/identity/users.hpp"

namespace convoy::registry {
namespace {

constexpr Duration kQuiet = std::chrono::seconds(60);  // between two warnings of a kind

net::HttpClientOptions client_options(const WebhookOptions& options,
                                      std::shared_ptr<net::TlsClientContext> tls) {
  net::HttpClientOptions out;
  out.tls = std::move(tls);
  out.max_idle_per_host = 1;
  out.connect_timeout = options.timeout;
  out.idle_timeout = options.timeout;
  return out;
}

}  // namespace

Status Webhook::check(const WebhookOptions& options) {
  if (options.secret.reveal().size() >= WebhookOptions::kLeastSecret) return {};
  return invalid("option_invalid", "webhook " + options.name + ": secret");
}

Result<std::unique_ptr<Webhook>> Webhook::make(const Needs& needs, WebhookOptions options) {
  if (auto good = check(options); !good) return std::move(good).error();
  std::shared_ptr<net::TlsClientContext> tls;
  if (options.url.tls) {
    net::TlsClientOptions trust;
    trust.roots_pem = options.roots_pem;
    auto made = net::TlsClientContext::make(std::move(trust));
    if (!made) return invalid("option_invalid", "webhook " + options.name + ": roots");
    tls = std::move(*made);
  }
  return std::make_unique<Webhook>(needs, std::move(options), std::move(tls));
}

Webhook::Webhook(const Needs& needs, WebhookOptions options,
                 std::shared_ptr<net::TlsClientContext> tls)
    : needs_(needs),
      options_(std::move(options)),
      secret_(options_.secret),
      client_(needs.executor, client_options(options_, std::move(tls))),
      wake_(needs.executor),
      hurry_(needs.executor),
      over_(needs.executor),
      waiting_(needs.metrics.gauge("convoy_registry_events_waiting",
                                   "Events that wait for their receiver.",
                                   {{"webhook", options_.name}})),
      queue_(options_.queue) {
  // So that they can be watched before anything happens.
  for (const char* outcome : {"delivered", "overflow", "refused", "expired", "stopped"}) {
    count(outcome, 0);
  }
}

bool Webhook::wants(EventKind kind) const {
  if (kind == EventKind::push) return options_.push;
  return kind == EventKind::pull ? options_.pull : options_.remove;
}

bool Webhook::wants(const Event& event) const {
  const auto& patterns = options_.repositories;
  return wants(event.kind) && std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) {
           return security::matches_glob(p, event.repository);
         });
}

void Webhook::add(EventPtr event) {
  bool kept = true;
  {
    const std::lock_guard lock(mutex_);
    kept = queue_.add(std::move(event));
    waiting_.set(static_cast<double>(queue_.size()));
  }
  if (!kept) lose(&Losses::overflow, "overflow", "the queue was full");
}

EventPtr Webhook::take() {
  const std::lock_guard lock(mutex_);
  EventPtr out = queue_.take();
  waiting_.set(static_cast<double>(queue_.size()));
  return out;
}

net::Task<void> Webhook::run() {
  while (!ended_) {
    EventPtr event = take();
    if (event) {
      in_hand_ = true;
      co_await deliver(event);
      tell_losses(false);
    } else if (hurried_) {
      break;
    } else {
      co_await wake_.wait(kQuiet);
      tell_losses(false);
    }
  }
  is_over_ = true;
  over_.notify_all();
}

net::Task<void> Webhook::deliver(EventPtr event) {
  for (;;) {
    Attempt tried = co_await attempt(event);
    if (ended_) co_return;
    if (tried.verdict != Verdict::again) {
      in_hand_ = false;
      failures_ = 0;
      if (tried.verdict == Verdict::delivered) {
        count("delivered");
      } else {
        lose(&Losses::refused, "refused", tried.text);
      }
      co_return;
    }
    note_failure(tried);
    if (hurried_) {
      ended_ = true;
      co_return;
    }
    const bool late = needs_.clock.steady() - event->posted >= options_.retry_for;
    if (late) {
      in_hand_ = false;
      lose(&Losses::expired, "expired", tried.text);
    }
    const Duration delay = retry_delay(failures_, tried.asked, needs_.random, needs_.retry);
    co_await hurry_.wait(delay);
    if (late || ended_) co_return;
  }
}

net::Task<Webhook::Attempt> Webhook::attempt(EventPtr event) {
  net::HttpRequest request = request_for(*event);
  const Deadline deadline = Deadline::in(needs_.clock, options_.timeout);
  auto response = co_await client_.send(std::move(request), deadline);
  if (!response) co_return Attempt{Verdict::again, response.error().text(), std::nullopt};
  // A body is of no use: the connection of an answer that has one is closed.
  const http::ResponseHead& head = (*response)->head();
  Attempt out{judge(head.status), "HTTP " + std::to_string(head.status), std::nullopt};
  if (const auto wait = head.headers.get("Retry-After")) out.asked = parse_retry_after(*wait);
  co_return out;
}

net::HttpRequest Webhook::request_for(const Event& event) const {
  net::HttpRequest out;
  out.method = "POST";
  out.url = options_.url;
  out.body = to_cloud_event(event, needs_.source);
  out.headers.add("Content-Type", "application/cloudevents+json");
  out.headers.add("User-Agent", "convoy-registry");
  out.headers.add("Convoy-Signature", event_signature(secret_, needs_.clock.wall(), out.body));
  return out;
}

void Webhook::hurry() {
  hurried_ = true;
  hurry_.notify_all();
  wake_.notify_all();
}

net::Task<bool> Webhook::over(Duration timeout) {
  if (!is_over_) co_await over_.wait(timeout);
  co_return is_over_;
}

void Webhook::end() {
  ended_ = true;
  tell_losses(true);
  std::size_t left = in_hand_ ? 1 : 0;
  in_hand_ = false;
  while (take()) ++left;
  if (left == 0) return;
  count("stopped", left);
  needs_.log.warn("webhook events lost at the stop", {{"webhook", options_.name}, {"count", left}});
}

void Webhook::count(const char* outcome, std::size_t n) {
  needs_.metrics
      .counter("convoy_registry_events_total", "Events by what became of them.",
               {{"webhook", options_.name}, {"outcome", outcome}})
      .add(static_cast<double>(n));
}

void Webhook::lose(std::size_t Losses::* kind, const char* outcome, const std::string& why) {
  count(outcome);
  {
    const std::lock_guard lock(mutex_);
    ++(losses_.*kind);
    losses_.last = why;
  }
  tell_losses(false);
}

void Webhook::tell_losses(bool now) {
  const SteadyTime time = needs_.clock.steady();
  Losses lost;
  {
    const std::lock_guard lock(mutex_);
    if (losses_.sum() == 0) return;
    if (!now && told_ && time - *told_ < kQuiet) return;
    told_ = time;
    lost = std::exchange(losses_, {});
  }
  needs_.log.warn("webhook events lost", {{"webhook", options_.name},
                                          {"overflow", lost.overflow},
                                          {"refused", lost.refused},
                                          {"expired", lost.expired},
                                          {"last", lost.last}});
}

void Webhook::note_failure(const Attempt& tried) {
  ++failures_;
  const SteadyTime now = needs_.clock.steady();
  if (warned_ && now - *warned_ < kQuiet) return;
  warned_ = now;
  needs_.log.warn("webhook receiver fails", {{"webhook", options_.name},
                                             {"receiver", options_.url.authority()},
                                             {"failures", failures_},
                                             {"error", tried.text}});
}

}  // namespace convoy::registry
