#pragma once

#include <map>
#include <memory>
#include <string>

namespace convoy::net {

using Labels = std::map<std::string, std::string>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double = 1) = 0;
  virtual double value() const = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double) = 0;
  virtual void add(double) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double) = 0;
};

/// The process's metrics in Prometheus text form. References stay valid as long as the
/// registry; the same name and labels give the same object. Safe from any thread. Label
/// values must come from a bounded set: never a digest, a user or a path.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Counter& counter(const std::string& name, const std::string& help, const Labels& = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& = {});
  /// Buckets from 1 ms to 60 s.
  Histogram& latency(const std::string& name, const std::string& help, const Labels& = {});
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::net
