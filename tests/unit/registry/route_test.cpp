#include "registry/api/route.hpp"

#include <gtest/gtest.h>

#include "registry/api/distribution_api.hpp"

namespace convoy::registry {
namespace {

Result<Route> route(std::string_view text) {
  auto target = http::parse_target(text);
  if (!target) return std::move(target).error();
  return parse_route(*target);
}

TEST(Route, EachEndpointOfTheSpecification) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const struct {
    std::string path;
    RouteKind kind;
    std::string repository, last;
  } rows[] = {
      {"/v2", RouteKind::ping, "", ""},
      {"/v2/", RouteKind::ping, "", ""},
      {"/v2/_catalog?n=3", RouteKind::catalog, "", ""},
      {"/token?service=x", RouteKind::token, "", ""},
      {"/v2/a/manifests/latest", RouteKind::manifest, "a", "latest"},
      {"/v2/a/b/c/manifests/" + digest, RouteKind::manifest, "a/b/c", digest},
      {"/v2/a/b/blobs/" + digest, RouteKind::blob, "a/b", digest},
      {"/v2/a/blobs/uploads/", RouteKind::uploads, "a", ""},
      {"/v2/a/blobs/uploads", RouteKind::uploads, "a", ""},
      {"/v2/a/blobs/uploads/0123", RouteKind::upload, "a", "0123"},
      {"/v2/a/tags/list", RouteKind::tags, "a", ""},
      {"/v2/a/referrers/" + digest, RouteKind::referrers, "a", digest},
      {"/convoy/v1/metadata/a/b/" + digest, RouteKind::metadata, "a/b", digest},
  };
  for (const auto& row : rows) {
    auto got = route(row.path);
    ASSERT_TRUE(got.ok()) << row.path;
    EXPECT_EQ(got->kind, row.kind) << row.path;
    EXPECT_EQ(got->repository ? got->repository->str() : "", row.repository) << row.path;
    EXPECT_EQ(got->last, row.last) << row.path;
  }
}

TEST(Route, RepositoriesNamedLikeThePartsOfTheApi) {
  EXPECT_EQ(route("/v2/manifests/manifests/x")->repository->str(), "manifests");
  EXPECT_EQ(route("/v2/tags/list/tags/list")->repository->str(), "tags/list");
  EXPECT_EQ(route("/v2/a/blobs/uploads/tags/list")->repository->str(), "a/blobs/uploads");
  EXPECT_EQ(route("/v2/a/blobs/uploads/manifests/x")->kind, RouteKind::manifest);
}

TEST(Route, RefusesWhatIsNoName) {
  for (const char* bad :
       {"/v2/A/manifests/x", "/v2/a..b/manifests/x", "/v2/-a/tags/list", "/v2/a%20b/tags/list"}) {
    auto got = route(bad);
    ASSERT_FALSE(got.ok()) << bad;
    EXPECT_EQ(got.error().code(), "name_invalid") << bad;
  }
  for (const char* bad : {"/v2/../a/manifests/x", "/v2//manifests/x", "/v2/a%2fb/manifests/x",
                          "/v2/%2e%2e/tags/list"}) {
    EXPECT_FALSE(route(bad).ok()) << bad;
  }
}

TEST(Route, UnknownPathsAreNotFound) {
  for (const char* bad : {"/", "/v1/", "/v2/a", "/v2/a/b", "/v2/tags/list", "/v2/blobs/uploads/",
                          "/token/x", "/convoy/v1/metadata/x", "/v2/a/blobs/uploads/x/y"}) {
    auto got = route(bad);
    ASSERT_FALSE(got.ok()) << bad;
    EXPECT_EQ(got.error().code(), "route_unknown") << bad;
  }
}

TEST(Route, NameLimit) {
  const std::string longest(oci::RepoName::kMaxLength, 'a');
  EXPECT_TRUE(route("/v2/" + longest + "/tags/list").ok());
  EXPECT_FALSE(route("/v2/" + longest + "a/tags/list").ok());
}

TEST(NeededAccess, FollowsTheMethod) {
  const auto needs = [](std::string_view method, std::string_view path) {
    const auto list = needed_access(route(path).value(), method);
    return list.empty() ? std::string() : list[0].str();
  };
  EXPECT_EQ(needs("GET", "/v2/"), "");
  EXPECT_EQ(needs("GET", "/v2/_catalog"), "registry:catalog:*");
  EXPECT_EQ(needs("HEAD", "/v2/a/manifests/x"), "repository:a:pull");
  EXPECT_EQ(needs("PUT", "/v2/a/manifests/x"), "repository:a:pull,push");
  EXPECT_EQ(needs("DELETE", "/v2/a/manifests/x"), "repository:a:delete");
  EXPECT_EQ(needs("GET", "/v2/a/blobs/x"), "repository:a:pull");
  EXPECT_EQ(needs("DELETE", "/v2/a/blobs/x"), "repository:a:delete");
  EXPECT_EQ(needs("POST", "/v2/a/blobs/uploads/"), "repository:a:pull,push");
  EXPECT_EQ(needs("PATCH", "/v2/a/blobs/uploads/x"), "repository:a:pull,push");
  EXPECT_EQ(needs("GET", "/v2/a/blobs/uploads/x"), "repository:a:pull,push");
  EXPECT_EQ(needs("DELETE", "/v2/a/blobs/uploads/x"), "repository:a:pull,push");
  EXPECT_EQ(needs("GET", "/v2/a/tags/list"), "repository:a:pull");
  EXPECT_EQ(needs("GET", "/v2/a/referrers/x"), "repository:a:pull");
}

}  // namespace
}  // namespace convoy::registry
