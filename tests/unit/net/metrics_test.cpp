#include "net/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy::net {
namespace {

using ::testing::HasSubstr;

TEST(MetricsTest, the_same_name_and_labels_are_the_same_object) {
  Metrics metrics;
  Counter& a = metrics.counter("convoy_a_total", "A.", {{"k", "1"}});
  Counter& b = metrics.counter("convoy_a_total", "A.", {{"k", "1"}});
  Counter& c = metrics.counter("convoy_a_total", "A.", {{"k", "2"}});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &c);
  a.add();
  EXPECT_EQ(b.value(), 1);
  metrics.gauge("convoy_g", "G.").set(4);
  metrics.gauge("convoy_g", "G.").add(-1);
  metrics.latency("convoy_s", "S.").observe(0.003);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("convoy_g 3"));
  EXPECT_THAT(text, HasSubstr("convoy_s_bucket{le=\"0.005\"} 1"));
}

}  // namespace
}  // namespace convoy::net
