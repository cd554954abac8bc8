#include "registry/core/upload_notes.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace convoy::registry {
namespace {

using crypto::BlobHasher;
constexpr std::size_t kBlock = crypto::MerkleLeaves::kBlock;
constexpr std::uint64_t kStep = 2 * kBlock;
constexpr std::size_t kOneLeafNote = 4 + 8 * 4 + 32 + 32;

/// Its notes in memory; of its bytes only the number.
class FakeUpload final : public storage::BlobUpload {
 public:
  const std::string& id() const override { return id_; }
  std::uint64_t size() const override { return bytes; }
  Status append(ByteView) override { return {}; }
  Status read_at(std::uint64_t, MutableByteView) const override { return {}; }
  Status commit(const storage::BlobFacts&) override { return {}; }
  Status sync() override {
    if (sync_fails) return internal_error("blob_write");
    ++syncs;
    synced = bytes;
    return {};
  }
  void discard() noexcept override {}
  Status add_note(ByteView note) override {
    EXPECT_EQ(synced, bytes) << "a note of what is not durable";
    if (notes_fail) return exhausted("disk_full");
    notes.insert(notes.end(), note.begin(), note.end());
    return {};
  }
  Result<std::size_t> read_notes(std::uint64_t offset, MutableByteView out) override {
    const auto from = std::min<std::size_t>(static_cast<std::size_t>(offset), notes.size());
    const auto n = std::min(out.size(), notes.size() - from);
    std::copy_n(notes.begin() + static_cast<std::ptrdiff_t>(from), n, out.begin());
    return n;
  }
  Status cut_notes(std::uint64_t size) override {
    if (notes_fail) return internal_error("blob_write");
    notes.resize(std::min(notes.size(), static_cast<std::size_t>(size)));
    return {};
  }

  std::uint64_t bytes = 0;
  std::uint64_t synced = 0;
  int syncs = 0;
  bool sync_fails = false, notes_fail = false;
  Bytes notes;

 private:
  std::string id_ = "id";
};

class UploadNotesTest : public ::testing::Test {
 protected:
  UploadNotesTest() : data_(6 * kBlock + 77) {
    SeededRandom random(1);
    random.fill(data_);
  }

  /// Takes the bytes up to `end` and keeps notes.
  Status take(std::size_t end) {
    hasher_.update(ByteView(data_).subspan(static_cast<std::size_t>(upload_.bytes),
                                           end - static_cast<std::size_t>(upload_.bytes)));
    upload_.bytes = end;
    return notes_.keep(upload_, hasher_);
  }
  std::optional<BlobHasher> restore() { return UploadNotes("id", kStep).restore(upload_); }

  /// What was restored knows the first `size` bytes and no other.
  void expect_knows(std::optional<BlobHasher> restored, std::uint64_t size) {
    ASSERT_TRUE(restored.has_value());
    EXPECT_EQ(restored->size(), size);
    restored->update(ByteView(data_).subspan(static_cast<std::size_t>(size)));
    BlobHasher whole(oci::DigestAlgorithm::sha256);
    whole.update(data_);
    EXPECT_EQ(restored->digest(), whole.digest());
    EXPECT_EQ(restored->take_leaves(), whole.take_leaves());
  }

  Bytes data_;
  FakeUpload upload_;
  BlobHasher hasher_{oci::DigestAlgorithm::sha256};
  UploadNotes notes_{"id", kStep};
};

TEST_F(UploadNotesTest, AreDueAtTheirStepAndNoByteEarlier) {
  ASSERT_TRUE(take(kStep - 1).ok());
  EXPECT_TRUE(upload_.notes.empty());
  EXPECT_EQ(upload_.syncs, 0);
  ASSERT_TRUE(take(kStep).ok());
  EXPECT_EQ(upload_.syncs, 1);
  const std::size_t one = upload_.notes.size();
  EXPECT_GT(one, 0U);
  ASSERT_TRUE(take(2 * kStep - 1).ok());
  EXPECT_EQ(upload_.notes.size(), one);
  ASSERT_TRUE(take(2 * kStep).ok());
  EXPECT_EQ(upload_.notes.size(), 2 * one) << "leaves are appended, not written again";
}

TEST_F(UploadNotesTest, TellWhatWasHashed) {
  EXPECT_FALSE(restore().has_value());
  ASSERT_TRUE(take(kStep + 5).ok());
  expect_knows(restore(), kStep);
  ASSERT_TRUE(take(5 * kBlock + 1).ok());
  expect_knows(restore(), 5 * kBlock);
}

TEST_F(UploadNotesTest, GoOnBehindThoseOfAnEarlierProcess) {
  ASSERT_TRUE(take(kStep).ok());
  notes_ = UploadNotes("id", kStep);
  hasher_ = notes_.restore(upload_).value();
  ASSERT_TRUE(take(kStep + 1).ok());
  EXPECT_EQ(upload_.syncs, 1);
  ASSERT_TRUE(take(2 * kStep).ok());
  expect_knows(restore(), 2 * kStep);
}

TEST_F(UploadNotesTest, CutShortAnywhereTellWhatTheWholeOnesTell) {
  ASSERT_TRUE(take(kStep).ok());
  const std::size_t one = upload_.notes.size();
  ASSERT_TRUE(take(2 * kStep).ok());
  const Bytes all = upload_.notes;
  for (std::size_t size = 0; size < all.size(); ++size) {
    upload_.notes.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    auto known = restore();
    ASSERT_EQ(known.has_value(), size >= one) << size;
    if (known) {
      EXPECT_EQ(known->size(), kStep) << size;
    }
    EXPECT_EQ(upload_.notes.size(), size >= one ? one : 0) << "the rest is in the way";
  }
}

TEST_F(UploadNotesTest, WithOneBitTurnedAnywhereTellNothingOfThatNoteNorOfLaterOnes) {
  ASSERT_TRUE(take(kStep).ok());
  const std::size_t one = upload_.notes.size();
  ASSERT_TRUE(take(2 * kStep).ok());
  ASSERT_TRUE(take(3 * kStep).ok());
  const Bytes all = upload_.notes;
  for (std::size_t at = 0; at < all.size(); ++at) {
    upload_.notes = all;
    upload_.notes[at] ^= 1;
    const std::uint64_t good = at / one * kStep;
    auto known = restore();
    ASSERT_EQ(known ? known->size() : 0, good) << at;
  }
}

TEST_F(UploadNotesTest, OutOfOrderTellNothing) {
  ASSERT_TRUE(take(kStep).ok());
  const auto one = static_cast<std::ptrdiff_t>(upload_.notes.size());
  ASSERT_TRUE(take(2 * kStep).ok());
  upload_.notes.erase(upload_.notes.begin(), upload_.notes.begin() + one);
  EXPECT_FALSE(restore().has_value());
}

TEST_F(UploadNotesTest, OfAnotherUploadTellNothing) {
  ASSERT_TRUE(take(kStep).ok());
  EXPECT_FALSE(UploadNotes("other", kStep).restore(upload_).has_value());
}

TEST_F(UploadNotesTest, OfALongerFileTellNothing) {
  ASSERT_TRUE(take(2 * kStep).ok());
  const Bytes all = upload_.notes;
  upload_.bytes = 2 * kStep - 1;
  EXPECT_FALSE(restore().has_value());
  EXPECT_TRUE(upload_.notes.empty());
  upload_.notes = all;
  upload_.bytes = 2 * kStep;
  expect_knows(restore(), 2 * kStep);
}

TEST_F(UploadNotesTest, OfNoLeafOrOfTooManyAreRefused) {
  // Sealed as they should be, so that only their number can be what is wrong.
  const auto note_of = [this](std::uint32_t count) {
    upload_.bytes = std::uint64_t{count} * kBlock;
    upload_.notes.clear();
    const BlobHasher::Mark mark{upload_.bytes, {}};
    const BlobHasher hasher(mark, std::vector<Hash256>(count));
    EXPECT_TRUE(UploadNotes("id", 0).keep(upload_, hasher).ok());
    return restore();
  };
  EXPECT_FALSE(note_of(0).has_value());
  EXPECT_TRUE(upload_.notes.empty());
  EXPECT_TRUE(note_of(1).has_value());
  EXPECT_EQ(upload_.notes.size(), kOneLeafNote);
  EXPECT_TRUE(note_of(64 * 1024).has_value());
  EXPECT_FALSE(note_of(64 * 1024 + 1).has_value());
}

TEST_F(UploadNotesTest, AreNotKeptOfSha512) {
  BlobHasher hasher(oci::DigestAlgorithm::sha512);
  hasher.update(data_);
  upload_.bytes = data_.size();
  EXPECT_TRUE(notes_.keep(upload_, hasher).ok());
  EXPECT_TRUE(upload_.notes.empty());
}

TEST_F(UploadNotesTest, AreNotWrittenWhenTheBytesCouldNotBeSynced) {
  upload_.sync_fails = true;
  EXPECT_EQ(take(kStep).error().code(), "blob_write");
  EXPECT_TRUE(upload_.notes.empty());
}

TEST_F(UploadNotesTest, ThatCannotBeWrittenAreNoErrorAndTheLast) {
  ASSERT_TRUE(take(kStep).ok());
  upload_.notes_fail = true;
  EXPECT_TRUE(take(2 * kStep).ok());
  upload_.notes_fail = false;
  EXPECT_TRUE(take(3 * kStep).ok());
  expect_knows(restore(), kStep);
}

TEST_F(UploadNotesTest, ThatCannotBeCutAreNotAddedTo) {
  ASSERT_TRUE(take(kStep).ok());
  upload_.notes.push_back(0);
  upload_.notes_fail = true;
  notes_ = UploadNotes("id", kStep);
  hasher_ = notes_.restore(upload_).value();
  upload_.notes_fail = false;
  const std::size_t before = upload_.notes.size();
  EXPECT_TRUE(take(2 * kStep).ok());
  EXPECT_EQ(upload_.notes.size(), before);
}

}  // namespace
}  // namespace convoy::registry
