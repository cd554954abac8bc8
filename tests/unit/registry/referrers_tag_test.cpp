#include "registry/core/referrers_tag.hpp"

#include <gtest/gtest.h>
#include <thread>

#include "crypto/hash.hpp"
#include "registry/core/manifest_service.hpp"

namespace convoy::registry {
namespace {

oci::Digest digest_of(std::string_view bytes) {
  return oci::Digest::sha256(crypto::sha256(as_bytes(bytes)));
}

std::string descriptor(const oci::Digest& digest) {
  return R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + digest.str() +
         R"(","size":2})";
}

const oci::Digest kSubject = digest_of("subject");

std::string index_of(const std::vector<oci::Digest>& entries) {
  std::string list;
  for (const auto& entry : entries) list += (list.empty() ? "" : ",") + descriptor(entry);
  return R"({"schemaVersion":2,"mediaType":")" + std::string(oci::kMediaOciIndex) +
         R"(","manifests":[)" + list + R"(],"annotations":{"who":"a client"}})";
}

TEST(ReferrersTag, IsMadeOfTheSubjectsDigest) {
  EXPECT_EQ(referrers_tag(kSubject).str(), "sha256-" + kSubject.hex());
  const auto longer = oci::Digest::parse("sha512:" + std::string(128, 'a')).value();
  EXPECT_EQ(referrers_tag(longer).str(), "sha512-" + std::string(64, 'a'));
  EXPECT_TRUE(is_referrers_tag(referrers_tag(kSubject)));
  EXPECT_TRUE(is_referrers_tag(referrers_tag(longer)));
  EXPECT_FALSE(is_referrers_tag(oci::Tag::parse("sha256-" + kSubject.hex() + ".sig").value()));
  EXPECT_FALSE(is_referrers_tag(oci::Tag::parse("v1").value()));
}

TEST(ReferrersTag, LosesAnEntryAndKeepsAllElse) {
  const auto one = digest_of("1");
  const auto two = digest_of("2");
  const auto shorter = without_entry(index_of({one, two, one}), one);
  ASSERT_TRUE(shorter.has_value());
  EXPECT_EQ(shorter->body, index_of({two}));
  EXPECT_FALSE(shorter->empty);
  EXPECT_TRUE(without_entry(index_of({one}), one)->empty);
  EXPECT_FALSE(without_entry(index_of({one}), two).has_value());
  EXPECT_FALSE(without_entry("{\"manifests\":7}", one).has_value());
  EXPECT_FALSE(without_entry("{\"manifests\":[7,{\"digest\":7}]}", one).has_value());
  EXPECT_FALSE(without_entry("not JSON", one).has_value());
}

class ReferrersListTest : public ::testing::Test {
 protected:
  /// A manifest that refers to the subject.
  oci::Digest refer(const std::string& name) {
    const std::string body = R"({"schemaVersion":2,"mediaType":")" +
                             std::string(oci::kMediaOciIndex) + R"(","manifests":[],"subject":)" +
                             descriptor(kSubject) + R"(,"annotations":{"name":")" + name + R"("}})";
    EXPECT_TRUE(manifests_.put(repo_, digest_of(body), oci::kMediaOciIndex, body, {}).ok());
    return digest_of(body);
  }
  void list(const std::vector<oci::Digest>& entries) {
    const auto put =
        manifests_.put(repo_, referrers_tag(kSubject), oci::kMediaOciIndex, index_of(entries), {});
    EXPECT_TRUE(put.ok());
  }
  std::string listed() {
    auto found = meta_->get_manifest(repo_, referrers_tag(kSubject));
    return found ? found->body : found.error().code();
  }

  std::unique_ptr<storage::RegistryMeta> meta_ = storage::open_registry_meta(":memory:").value();
  ManifestService manifests_{*meta_, oci::MayMiss::nothing};
  const oci::RepoName repo_ = oci::RepoName::parse("team/app").value();
};

TEST_F(ReferrersListTest, FollowsTheDeletionOfAReferrer) {
  const auto one = refer("one");
  const auto two = refer("two");
  list({one, two});
  ASSERT_TRUE(manifests_.remove(repo_, one).ok());
  EXPECT_EQ(listed(), index_of({two}));
  ASSERT_TRUE(manifests_.remove(repo_, two).ok());
  EXPECT_EQ(listed(), "manifest_unknown");
  EXPECT_EQ(manifests_.remove(repo_, two).error().code(), "manifest_unknown");
}

TEST_F(ReferrersListTest, StandsWhenSomethingElseIsDeletedOrItIsNoIndex) {
  const auto one = refer("one");
  const auto two = refer("two");
  list({one});
  ASSERT_TRUE(manifests_.remove(repo_, two).ok());
  EXPECT_EQ(listed(), index_of({one}));
  // Of Docker's own type it is not such a list, whatever it names.
  const std::string other = R"({"schemaVersion":2,"mediaType":")" +
                            std::string(oci::kMediaDockerList) + R"(","manifests":[)" +
                            descriptor(one) + "]}";
  ASSERT_TRUE(
      manifests_.put(repo_, referrers_tag(kSubject), oci::kMediaDockerList, other, {}).ok());
  ASSERT_TRUE(manifests_.remove(repo_, one).ok());
  EXPECT_EQ(listed(), other);
}

TEST_F(ReferrersListTest, StandsWhenItsTagIsImmutableAndTheReferrerGoesAllTheSame) {
  const auto one = refer("one");
  list({one});
  meta_->guard_tags([](const oci::RepoName&, const std::string&) { return true; });
  ASSERT_TRUE(manifests_.remove(repo_, one).ok());
  EXPECT_EQ(listed(), index_of({one}));
  EXPECT_FALSE(meta_->get_manifest(repo_, one).ok());
}

TEST_F(ReferrersListTest, LosesEachOfManyThatAreDeletedAtOnce) {
  std::vector<oci::Digest> all;
  for (int i = 0; i < 40; ++i) all.push_back(refer(std::to_string(i)));
  list(all);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < all.size() - 1; i += 4) {
        EXPECT_TRUE(manifests_.remove(repo_, all[i]).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(listed(), index_of({all.back()}));
}

}  // namespace
}  // namespace convoy::registry
