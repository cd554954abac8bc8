#include "net/metrics.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace convoy::net {
namespace {

const prometheus::Histogram::BucketBoundaries kLatencyBuckets = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& c) : counter_(c) {}
  void add(double n) override { counter_.Increment(n); }
  double value() const override { return counter_.Value(); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& g) : gauge_(g) {}
  void set(double v) override { gauge_.Set(v); }
  void add(double n) override { gauge_.Increment(n); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& h) : histogram_(h) {}
  void observe(double v) override { histogram_.Observe(v); }

 private:
  prometheus::Histogram& histogram_;
};

}  // namespace

struct Metrics::Impl {
  template <class T>
  using Known = std::map<std::pair<std::string, Labels>, std::unique_ptr<T>>;

  /// The object of that name and labels, made by `make` the first time. A malformed name, or
  /// one of another kind, is a bug in the program.
  template <class T, class Make>
  T& find(Known<T>& known, const std::string& name, const Labels& labels, Make make) {
    const std::lock_guard lock(mutex);
    auto& slot = known[{name, labels}];
    if (slot) return *slot;
    try {
      slot = make();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "convoy: metric %s: %s\n", name.c_str(), e.what());
      std::abort();
    }
    return *slot;
  }

  std::mutex mutex;
  prometheus::Registry registry;
  Known<Counter> counters;
  Known<Gauge> gauges;
  Known<Histogram> histograms;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  return impl_->find(impl_->counters, name, labels, [&] {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
    return std::make_unique<PrometheusCounter>(family.Add(labels));
  });
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return impl_->find(impl_->gauges, name, labels, [&] {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
    return std::make_unique<PrometheusGauge>(family.Add(labels));
  });
}

Histogram& Metrics::latency(const std::string& name, const std::string& help,
                            const Labels& labels) {
  return impl_->find(impl_->histograms, name, labels, [&] {
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
    return std::make_unique<PrometheusHistogram>(family.Add(labels, kLatencyBuckets));
  });
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace convoy::net
