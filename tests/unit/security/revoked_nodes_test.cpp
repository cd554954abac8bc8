#include "security/ca/revoked_nodes.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/storage_dir.hpp"

namespace convoy::security {
namespace {

class RevokedNodesTest : public testing::Test {
 protected:
  static SpiffeId id(NodeKind kind, std::string name) {
    return {"example.org", "c1", kind, std::move(name)};
  }
  test::TempDir dir_;
  std::string path_ = dir_ / "tokens.json";
  RevokedNodes nodes_{path_};
};

TEST_F(RevokedNodesTest, AreKeptByKindAndName) {
  EXPECT_TRUE(nodes_.list().value().empty());
  ASSERT_TRUE(nodes_.add(NodeKind::node, "a"));
  ASSERT_TRUE(nodes_.add(NodeKind::node, "a"));
  ASSERT_TRUE(nodes_.add(NodeKind::origin, "b"));
  const auto names = RevokedNodes(path_).list().value();
  EXPECT_EQ(names.size(), 2u);
  EXPECT_TRUE(is_revoked(names, id(NodeKind::node, "a")));
  EXPECT_TRUE(is_revoked(names, id(NodeKind::origin, "b")));
  EXPECT_FALSE(is_revoked(names, id(NodeKind::origin, "a")));
  EXPECT_FALSE(is_revoked(names, id(NodeKind::node, "b")));
  struct stat st{};
  ASSERT_EQ(::stat((path_ + ".revoked").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST_F(RevokedNodesTest, AreTakenOff) {
  ASSERT_TRUE(nodes_.add(NodeKind::node, "a"));
  ASSERT_TRUE(nodes_.remove(NodeKind::node, "a"));
  EXPECT_TRUE(nodes_.list().value().empty());
  EXPECT_EQ(nodes_.remove(NodeKind::node, "a").error().code(), "node_not_revoked");
}

TEST_F(RevokedNodesTest, ANameThatNoNodeCanHaveIsAMistake) {
  for (const char* name : {"", "Node-1", "a/b", "spiffe://example.org/cluster/c1/node/a"}) {
    EXPECT_EQ(nodes_.add(NodeKind::node, name).error().code(), "spiffe_id_invalid") << name;
  }
}

TEST_F(RevokedNodesTest, ADamagedFileIsAnError) {
  for (const char* text : {"", "[]", R"({"revoked":"a"})", R"({"revoked":[1]})", "{}"}) {
    std::ofstream(path_ + ".revoked") << text;
    EXPECT_EQ(nodes_.list().error().code(), "revoked_nodes") << text;
    EXPECT_FALSE(nodes_.add(NodeKind::node, "a")) << text;
  }
  EXPECT_EQ(RevokedNodes("/nonexistent/t.json").list().error().code(), "revoked_nodes");
}

}  // namespace
}  // namespace convoy::security
