#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "net/connection_book.hpp"
#include "net/pace.hpp"

namespace convoy::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ConnectionBook, counts_places_until_they_are_left) {
  ConnectionBook book(2, 0);
  auto a = book.admit("10.0.0.1");
  auto b = book.admit("10.0.0.1");
  EXPECT_EQ(book.size(), 2u);
  EXPECT_EQ(book.admit("10.0.0.2"), nullptr);
  a.reset();
  EXPECT_NE(book.admit("10.0.0.2"), nullptr);
  EXPECT_EQ(book.size(), 1u);
}

TEST(ConnectionBook, one_waiting_gives_way_once_the_longest_first) {
  ConnectionBook book(3, 0);
  std::vector<int> dropped;
  auto a = book.admit("10.0.0.1");
  auto b = book.admit("10.0.0.1");
  auto c = book.admit("10.0.0.1");
  a->waits([&] { dropped.push_back(1); });
  b->waits([&] { dropped.push_back(2); });
  c->waits([&] { dropped.push_back(3); });
  a->works();
  a->waits([&] { dropped.push_back(1); });
  b->works();
  auto d = book.admit("10.0.0.2");
  auto e = book.admit("10.0.0.2");
  EXPECT_EQ(dropped, (std::vector<int>{3, 1}));
  EXPECT_EQ(book.admit("10.0.0.2"), nullptr) << "none waits any more";
  EXPECT_EQ(book.size(), 3u) << "who was dropped has no place any more";
  c->waits([&] { dropped.push_back(3); });
  EXPECT_EQ(book.admit("10.0.0.2"), nullptr) << "who was dropped cannot be dropped again";
  a.reset();
  c.reset();
  EXPECT_EQ(book.size(), 3u);
}

TEST(ConnectionBook, an_address_cannot_take_others_places_beyond_its_share) {
  ConnectionBook book(3, 2);
  int dropped = 0;
  auto honest = book.admit("10.0.0.1");
  honest->waits([&] { ++dropped; });
  auto a = book.admit("2001:db8::1");
  auto b = book.admit("2001:db8::2");
  EXPECT_EQ(book.admit("2001:db8::3"), nullptr) << "the same /64";
  EXPECT_EQ(dropped, 0);
  b.reset();
  EXPECT_NE(book.admit("2001:db8::3"), nullptr);
  EXPECT_EQ(book.refused(), 1u);
}

TEST(Pace, judges_each_stretch_of_waiting_by_itself) {
  Pace pace(1024, seconds(30));
  EXPECT_TRUE(pace.took(seconds(29), 1)) << "not yet";
  EXPECT_TRUE(pace.took(seconds(1), 30 * 1024 - 1)) << "the rate itself";
  EXPECT_TRUE(pace.took(milliseconds(1), 1 << 30));
  EXPECT_TRUE(pace.took(seconds(30), 0)) << "a burst counts for its own stretch";
  EXPECT_FALSE(pace.took(seconds(30), 30 * 1024 - 1)) << "one byte less";
  EXPECT_FALSE(Pace(0, seconds(30)).watches());
  Pace lenient(1024, seconds(30), Pace::Stall::passes);
  EXPECT_TRUE(lenient.took(seconds(30), 0));
  EXPECT_EQ(lenient.left(), seconds(30));
  EXPECT_TRUE(lenient.took(seconds(10), 1));
  EXPECT_EQ(lenient.left(), seconds(20));
  EXPECT_FALSE(lenient.took(seconds(20), 0)) << "a drip is no stall";
}

}  // namespace
}  // namespace convoy::net
