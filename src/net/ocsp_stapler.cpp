#include "net/ocsp_stapler.hpp"

#include <algorithm>
#include <utility>

#include "net/steady.hpp"

namespace convoy::net {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;
constexpr unsigned kMaxDoublings = 6;

HttpClientOptions client_options(const OcspPace& pace) {
  HttpClientOptions out;
  out.max_idle_per_host = 0;
  out.idle_timeout = pace.patience;
  return out;
}

}  // namespace

OcspStapler::OcspStapler(Executor executor, std::shared_ptr<TlsServerContext> tls,
                         const Clock& clock, Logger log, OcspPace pace)
    : tls_(std::move(tls)),
      clock_(clock),
      log_(std::move(log)),
      pace_(pace),
      client_(executor, client_options(pace)),
      wake_(executor) {}

void OcspStapler::renew() {
  again_ = true;
  failures_ = 0;
  wake_.notify_all();
}

Task<void> OcspStapler::run() {
  for (;;) {
    again_ = false;
    const Duration nap = co_await round();
    if (!again_) co_await wake_.wait(nap);
    // Tells a time-out from the end, and keeps many reloads from asking many times at once.
    const bool awake = co_await sleep_for(std::chrono::milliseconds(10));
    if (!awake) co_return;
  }
}

Duration OcspStapler::after_failure() {
  failures_ = std::min(failures_ + 1, kMaxDoublings);
  return pace_.least * (1U << (failures_ - 1));
}

Task<Duration> OcspStapler::round() {
  auto query = tls_->ocsp_query();
  if (!query) co_return pace_.most;
  const std::string url = query->url;
  Task<Result<OcspTimes>> asking = ask(std::move(*query));
  auto times = co_await std::move(asking);
  if (!times) {
    log_.warn("no OCSP answer", {{"responder", url}, {"error", times.error().text()}});
    co_return after_failure();
  }
  failures_ = 0;
  log_.info("OCSP answer stapled", {{"responder", url}, {"until", to_rfc3339(times->until)}});
  const Duration left = times->until - clock_.wall();
  co_return std::clamp(left / 2, pace_.least, pace_.most);
}

Task<Result<OcspTimes>> OcspStapler::ask(OcspQuery query) {
  auto url = http::parse_url(query.url);
  if (!url) co_return std::move(url).error();
  HttpRequest request;
  request.method = "POST";
  request.url = std::move(*url);
  request.headers.add("Content-Type", "application/ocsp-request");
  request.headers.add("Accept", "application/ocsp-response");
  request.body = std::string(as_text(query.body));
  const Deadline deadline = Deadline::at(steady_after(pace_.patience));
  auto response = co_await client_.send(std::move(request), deadline);
  if (!response) co_return std::move(response).error();
  const int status = (*response)->status();
  if (status != 200) co_return unavailable("ocsp_refused", "HTTP " + std::to_string(status));
  auto body = co_await (*response)->read_all(kMaxAnswer);
  if (!body) co_return std::move(body).error();
  co_return tls_->staple(as_bytes(*body));
}

}  // namespace convoy::net
