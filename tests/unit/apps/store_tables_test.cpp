#include "cli/store_tables.hpp"

#include <gtest/gtest.h>

namespace convoy::cli {
namespace {

TEST(StoreTables, CollectionTellsWhatWentAndWhy) {
  const std::string answer =
      R"({"state":"done","dry_run":true,"phase":"done","tags":1,"manifests":2,"links":3,)"
      R"("link_bytes":2048,"blobs":1,"blob_bytes":1024,"orphans":1,"retention":[)"
      R"({"repository":"team/app","tag":"v1","keep":false,"reason":"no rule keeps it"}]})";
  const auto text = collection_report(answer);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("remove     team/app    v1   no rule keeps it"), std::string::npos) << *text;
  EXPECT_NE(text->find("would remove 1 tags, 2 manifests"), std::string::npos) << *text;
  EXPECT_NE(text->find("1 of them left behind by a crash"), std::string::npos) << *text;
  EXPECT_FALSE(collection_line(answer)->running);
}

TEST(StoreTables, DamageAndFailureAreSeen) {
  const auto line = scrub_line(R"({"state":"failed","error":"x","bad":[{"digest":"d"}]})");
  EXPECT_TRUE(line->found_damage);
  EXPECT_TRUE(line->failed);
}

TEST(StoreTables, OtherAnswersAreRefused) {
  for (const char* text : {"", "[]", "{", R"({"repositories":[1]})"}) {
    const auto rows = repository_rows(text);
    ASSERT_FALSE(rows.ok()) << text;
    EXPECT_EQ(rows.error().code(), "store_answer_invalid");
  }
}

TEST(StoreTables, PageEndsWithTheNameThatTheNextBeginsAfter) {
  const auto page = tag_rows(R"({"tags":[{"name":"a","digest":"d","pulled":null},{"name":"b"}]})");
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->last, "b");
  EXPECT_EQ(page->rows[0][3], "never");
}

}  // namespace
}  // namespace convoy::cli
