#include "wire/oci/manifest.hpp"

#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"

namespace convoy::oci {
namespace {

using test::code_of;

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string descriptor(std::string_view extra = "", std::string_view size = "7") {
  return R"({"mediaType":"application/x","digest":")" + kDigest + R"(","size":)" +
         std::string(size) + std::string(extra) + "}";
}
std::string image(std::string_view layers, std::string_view extra = "") {
  return R"({"schemaVersion":2,"config":)" + descriptor() + R"(,"layers":[)" + std::string(layers) +
         "]" + std::string(extra) + "}";
}
std::string index(std::string_view manifests, std::string_view extra = "") {
  return R"({"schemaVersion":2,"manifests":[)" + std::string(manifests) + "]" + std::string(extra) +
         "}";
}
std::string image_code(const std::string& body) {
  return code_of(parse_manifest(body, kMediaOciManifest));
}

TEST(Manifest, ReadsAnImage) {
  const auto m = parse_manifest(
      image(descriptor() + "," + descriptor(R"(,"urls":["https://x"])"),
            R"(,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/b",)"
            R"("annotations":{"k":"v"},"subject":)" +
                descriptor() + R"(,"unknown":{"kept":[1,2]})"),
      kMediaOciManifest);
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_FALSE(m->is_index);
  EXPECT_EQ(m->media_type, kMediaOciManifest);
  ASSERT_TRUE(m->config && m->subject);
  EXPECT_EQ(m->config->size, 7u);
  EXPECT_EQ(m->config->digest.str(), kDigest);
  ASSERT_EQ(m->layers.size(), 2u);
  EXPECT_FALSE(m->layers[0].has_urls);
  EXPECT_TRUE(m->layers[1].has_urls);
  EXPECT_EQ(m->artifact_type, "a/b");
  EXPECT_EQ(m->annotations.at("k"), "v");
}

TEST(Manifest, ReadsAnIndex) {
  const auto m = parse_manifest(index(descriptor(R"(,"artifactType":"t")")), kMediaDockerList);
  ASSERT_TRUE(m) << m.error().text();
  EXPECT_TRUE(m->is_index);
  ASSERT_EQ(m->manifests.size(), 1u);
  EXPECT_EQ(m->manifests[0].artifact_type, "t");
  EXPECT_FALSE(m->config);
}

TEST(Manifest, SaysWhetherTheBodyNamesItsType) {
  EXPECT_FALSE(parse_manifest(image(""), kMediaOciManifest).value().names_type);
  const auto named = image("", R"(,"mediaType":"application/vnd.oci.image.manifest.v1+json")");
  EXPECT_TRUE(parse_manifest(named, kMediaOciManifest).value().names_type);
  EXPECT_FALSE(
      parse_manifest(image("", R"(,"mediaType":null)"), kMediaOciManifest).value().names_type);
}

TEST(Manifest, ALayerIsForeignByItsUrlsOrItsType) {
  const auto of_type = [](const std::string& type, std::string_view extra) {
    const std::string layer = R"({"mediaType":")" + type + R"(","digest":")" + kDigest +
                              R"(","size":7)" + std::string(extra) + "}";
    return is_foreign(parse_manifest(image(layer), kMediaOciManifest).value().layers.at(0));
  };
  EXPECT_FALSE(of_type("application/vnd.oci.image.layer.v1.tar", ""));
  EXPECT_FALSE(of_type("application/vnd.oci.image.layer.v1.tar", R"(,"urls":[])"));
  EXPECT_TRUE(of_type("application/vnd.oci.image.layer.v1.tar", R"(,"urls":["https://x"])"));
  EXPECT_TRUE(of_type("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", ""));
  EXPECT_TRUE(of_type("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", ""));
}

TEST(Manifest, AnEmptyListMayBeNullOrLeftOut) {
  EXPECT_EQ(image_code(R"({"schemaVersion":2,"config":)" + descriptor() + R"(,"layers":null})"),
            "");
  EXPECT_EQ(image_code(R"({"schemaVersion":2,"config":)" + descriptor() + "}"), "");
  EXPECT_EQ(code_of(parse_manifest(R"({"schemaVersion":2,"manifests":null})", kMediaOciIndex)), "");
}

TEST(Manifest, RefusesConfusionOfTheTwoKinds) {
  const std::string both[] = {image("", R"(,"manifests":[])"), index("", R"(,"layers":[])"),
                              index("", R"(,"config":)" + descriptor()),
                              image("", R"(,"manifests":null)")};
  for (const auto& body : both) {
    EXPECT_EQ(code_of(parse_manifest(body, kMediaOciManifest)), "manifest_invalid") << body;
    EXPECT_EQ(code_of(parse_manifest(body, kMediaOciIndex)), "manifest_invalid") << body;
  }
  EXPECT_EQ(code_of(parse_manifest(image(""), kMediaOciIndex)), "manifest_invalid");
  EXPECT_EQ(code_of(parse_manifest(index(""), kMediaOciManifest)), "manifest_invalid");
  EXPECT_EQ(image_code(image("", R"(,"mediaType":"application/vnd.oci.image.index.v1+json")")),
            "manifest_invalid");
}

TEST(Manifest, RefusesForeignMediaTypes) {
  for (auto type : {"", "application/json", "application/vnd.oci.image.manifest.v1+json; q=1",
                    "application/vnd.docker.distribution.manifest.v1+json"}) {
    EXPECT_EQ(code_of(parse_manifest(image(""), type)), "manifest_invalid") << type;
  }
}

TEST(Manifest, RefusesBadDescriptors) {
  const std::string bad[] = {
      descriptor("", "-1"),
      descriptor("", "1.5"),
      descriptor("", "\"7\""),
      descriptor("", "9223372036854775808"),
      descriptor("", "1e3"),
      R"({"mediaType":"a","digest":"sha256:abc","size":1})",
      R"({"digest":")" + kDigest + R"(","size":1})",
      R"({"mediaType":"","digest":")" + kDigest + R"(","size":1})",
      R"({"mediaType":"a","digest":")" + kDigest + R"("})",
      R"({"mediaType":")" + std::string(256, 'a') + R"(","digest":")" + kDigest + R"(","size":1})",
      descriptor(R"(,"urls":"x")"),
      descriptor(R"(,"size":8)"),
      "null",
      "[]",
      "\"x\"",
  };
  for (const auto& text : bad) EXPECT_EQ(image_code(image(text)), "manifest_invalid") << text;
}

TEST(Manifest, RefusesBadBodies) {
  const std::string bad[] = {
      "",
      "[]",
      "{}",
      "null",
      image("") + " x",
      image("", R"(,"layers":[])"),  // twice
      image("", R"(,"annotations":{"a":1})"),
      image("", R"(,"annotations":[])"),
      image("", R"(,"artifactType":1)"),
      image("", R"(,"subject":"x")"),
      image("", R"(,"fsLayers":[])"),
      R"({"schemaVersion":1,"config":)" + descriptor() + "}",
      R"({"schemaVersion":"2","config":)" + descriptor() + "}",
      R"({"config":)" + descriptor() + "}",
      R"({"schemaVersion":2,"layers":[]})",
      R"({"schemaVersion":2,"config":null,"layers":[]})",
  };
  for (const auto& text : bad) EXPECT_EQ(image_code(text), "manifest_invalid") << text;
}

TEST(Manifest, HoldsTenThousandDescriptorsAndNoMore) {
  std::string layers = descriptor();
  for (int i = 1; i < 9'999; ++i) layers += "," + descriptor();
  EXPECT_EQ(image_code(image(layers)), "");  // and the config
  EXPECT_EQ(image_code(image(layers + "," + descriptor())), "manifest_invalid");
}

TEST(Manifest, IsAtMostFourMebibytes) {
  const auto body = image("");
  const auto padded = body + std::string(kMaxManifestBytes - body.size(), ' ');
  EXPECT_EQ(image_code(padded), "");
  EXPECT_EQ(image_code(padded + " "), "manifest_too_large");
}

TEST(Manifest, NestsSixtyFourLevelsAndNoMore) {
  const auto nested = [](std::size_t n) {
    return image("", R"(,"x":)" + std::string(n, '[') + std::string(n, ']'));
  };
  EXPECT_EQ(image_code(nested(63)), "");
  EXPECT_EQ(image_code(nested(64)), "manifest_invalid");
}

}  // namespace
}  // namespace convoy::oci
