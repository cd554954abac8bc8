#include "storage/blob/posix_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "support/storage_dir.hpp"

namespace convoy::storage {
namespace {

TEST(PosixFile, FullDiskIsExhaustedNotOurFault) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  auto done = write_all(full.get(), 0, as_bytes("x"));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), "disk_full");
  EXPECT_EQ(done.error().kind(), ErrorClass::exhausted);
}

TEST(PosixFile, RootHasOneUserAtATime) {
  test::TempDir dir;
  auto root = open_root(dir.path());
  ASSERT_TRUE(root.ok());
  {
    auto first = lock_root(root->get());
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(lock_root(root->get()).error().code(), "store_locked");
  }
  EXPECT_TRUE(lock_root(root->get()).ok());
}

TEST(PosixFile, DurableWriteLeavesNoTemporaryFile) {
  test::TempDir dir;
  auto root = open_root(dir.path());
  ASSERT_TRUE(write_durably(root->get(), "t", root->get(), "name", as_bytes("abc")).ok());
  EXPECT_EQ(as_text(read_whole(root->get(), "name", 3, "blob_read").value()), "abc");
  EXPECT_FALSE(read_whole(root->get(), "name", 2, "blob_read").ok());
  EXPECT_FALSE(exists(root->get(), "t"));
}

}  // namespace
}  // namespace convoy::storage
