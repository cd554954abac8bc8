#include "wire/oci/error.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "wire/json.hpp"

namespace convoy::oci {
namespace {

boost::json::object first_error(const ErrorReply& reply) {
  auto root = wire::parse_json_object(reply.body);
  if (!root) return {};
  return root->at("errors").as_array().at(0).as_object();
}
std::string oci_code(const Error& error) {
  return wire::json_string(first_error(to_oci_error(error)), "code").value_or("(none)");
}

TEST(OciError, EveryCodeOfTheRegistryHasItsStatusAndItsOciCode) {
  const struct {
    Error error;
    int status;
    const char* code;
  } cases[] = {
      {not_found("blob_unknown"), 404, "BLOB_UNKNOWN"},
      {not_found("blob_upload_unknown"), 404, "BLOB_UPLOAD_UNKNOWN"},
      {invalid("blob_upload_invalid"), 400, "BLOB_UPLOAD_INVALID"},
      {invalid("digest_invalid"), 400, "DIGEST_INVALID"},
      {invalid("digest_mismatch"), 400, "DIGEST_INVALID"},
      {corrupt("digest_mismatch"), 400, "DIGEST_INVALID"},
      {not_found("manifest_unknown"), 404, "MANIFEST_UNKNOWN"},
      {not_found("manifest_blob_unknown"), 400, "MANIFEST_BLOB_UNKNOWN"},
      {invalid("manifest_invalid"), 400, "MANIFEST_INVALID"},
      {too_large("manifest_too_large"), 413, "MANIFEST_INVALID"},
      {too_large("body_too_large"), 413, "SIZE_INVALID"},
      {invalid("name_invalid"), 400, "NAME_INVALID"},
      {not_found("name_unknown"), 404, "NAME_UNKNOWN"},
      {invalid("tag_invalid"), 400, "MANIFEST_INVALID"},
      {invalid("size_invalid"), 400, "SIZE_INVALID"},
      {invalid("range_unsatisfiable"), 416, "SIZE_INVALID"},
      {conflict("upload_out_of_order"), 416, "BLOB_UPLOAD_INVALID"},
      {invalid("unsupported"), 405, "UNSUPPORTED"},
      {unauthorized("token_expired"), 401, "UNAUTHORIZED"},
      {invalid("authorization_invalid"), 401, "UNAUTHORIZED"},
      {unauthorized("anything"), 401, "UNAUTHORIZED"},
      {denied("pull_denied"), 403, "DENIED"},
      {exhausted("quota"), 429, "TOOMANYREQUESTS"},
      {unavailable("storage"), 503, "UNAVAILABLE"},
      {timed_out("slow"), 504, "UNAVAILABLE"},
      {internal_error("bug"), 500, "UNKNOWN"},
      {corrupt("disk"), 500, "UNKNOWN"},
      // A code does not outrank the class that says whose fault it is.
      {unavailable("blob_unknown"), 503, "UNAVAILABLE"},
      {internal_error("blob_unknown"), 500, "UNKNOWN"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(to_oci_error(c.error).status, c.status) << c.error.code();
    EXPECT_EQ(oci_code(c.error), c.code) << c.error.code();
  }
}

TEST(OciError, TellsTheCallerWhatIsWrongWithTheRequest) {
  const auto error = first_error(to_oci_error(invalid("manifest_invalid", "descriptor size")));
  EXPECT_EQ(wire::json_string(error, "message"), "manifest invalid: descriptor size");
  EXPECT_EQ(error.at("detail").as_object().at("reason").as_string(), "manifest_invalid");
}

TEST(OciError, KeepsOperatorDetailInside) {
  for (const auto& error :
       {internal_error("db", "/var/lib/x"), unauthorized("token_chain", "/var/lib/x"),
        unavailable("s", "/var/lib/x"), corrupt("c", "/var/lib/x"),
        not_found("blob_unknown", "/var/lib/x"), exhausted("q", "/var/lib/x")}) {
    EXPECT_EQ(to_oci_error(error).body.find("/var/lib"), std::string::npos) << error.code();
  }
  EXPECT_FALSE(first_error(to_oci_error(internal_error("db"))).contains("detail"));
}

TEST(OciError, IsJsonWhateverTheDetailHolds) {
  const auto reply = to_oci_error(invalid("name_invalid", "\"},\xff\n\0"));
  EXPECT_TRUE(wire::parse_json_object(reply.body)) << reply.body;
}

}  // namespace
}  // namespace convoy::oci
