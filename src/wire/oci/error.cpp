#include "wire/oci/error.hpp"

#include <array>

#include "base/log.hpp"

namespace convoy::oci {
namespace {

struct Row {
  std::string_view code;  ///< of an Error
  int status;
  std::string_view oci;
  std::string_view sentence;
};

constexpr std::array kByCode = {
    Row{"blob_unknown", 404, "BLOB_UNKNOWN", "blob unknown to registry"},
    Row{"blob_upload_unknown", 404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"},
    Row{"blob_upload_invalid", 400, "BLOB_UPLOAD_INVALID", "blob upload invalid"},
    Row{"upload_out_of_order", 416, "BLOB_UPLOAD_INVALID", "upload chunk out of order"},
    Row{"content_range_invalid", 400, "BLOB_UPLOAD_INVALID", "Content-Range invalid"},
    Row{"digest_invalid", 400, "DIGEST_INVALID", "digest invalid"},
    Row{"digest_mismatch", 400, "DIGEST_INVALID", "provided digest did not match the content"},
    Row{"manifest_unknown", 404, "MANIFEST_UNKNOWN", "manifest unknown to registry"},
    Row{"manifest_blob_unknown", 400, "MANIFEST_BLOB_UNKNOWN",
        "manifest references a blob or manifest unknown to registry"},
    Row{"manifest_invalid", 400, "MANIFEST_INVALID", "manifest invalid"},
    Row{"manifest_too_large", 413, "MANIFEST_INVALID", "manifest too large"},
    Row{"name_invalid", 400, "NAME_INVALID", "invalid repository name"},
    Row{"target_invalid", 400, "NAME_INVALID", "invalid request target"},
    Row{"name_unknown", 404, "NAME_UNKNOWN", "repository name not known to registry"},
    Row{"tag_invalid", 400, "MANIFEST_INVALID", "invalid tag"},
    Row{"size_invalid", 400, "SIZE_INVALID", "provided length did not match content length"},
    Row{"range_unsatisfiable", 416, "SIZE_INVALID", "requested range not satisfiable"},
    Row{"body_too_large", 413, "SIZE_INVALID", "request body too large"},
    Row{"unsupported", 405, "UNSUPPORTED", "the operation is unsupported"},
    Row{"denied", 403, "DENIED", "requested access to the resource is denied"},
};

constexpr Row kUnauthorized{"", 401, "UNAUTHORIZED", "authentication required"};

Row by_kind(ErrorClass kind) {
  switch (kind) {
    case ErrorClass::invalid:
      return {"", 400, "UNSUPPORTED", "the request is invalid"};
    case ErrorClass::unauthorized:
      return kUnauthorized;
    case ErrorClass::denied:
      return {"", 403, "DENIED", "requested access to the resource is denied"};
    case ErrorClass::not_found:
      return {"", 404, "NAME_UNKNOWN", "not found"};
    case ErrorClass::conflict:
      return {"", 409, "DENIED", "the state of the resource forbids the operation"};
    case ErrorClass::too_large:
      return {"", 413, "SIZE_INVALID", "a limit was exceeded"};
    case ErrorClass::exhausted:
      return {"", 429, "TOOMANYREQUESTS", "too many requests"};
    case ErrorClass::unavailable:
    case ErrorClass::cancelled:
      return {"", 503, "UNAVAILABLE", "service unavailable"};
    case ErrorClass::timeout:
      return {"", 504, "UNAVAILABLE", "the operation took too long"};
    case ErrorClass::corrupt:
    case ErrorClass::internal:
      break;
  }
  return {"", 500, "UNKNOWN", "unknown error"};
}

Row row_of(const Error& error) {
  const std::string_view code = error.code();
  switch (error.kind()) {
    // Whatever the code says, these classes are not the caller's doing.
    case ErrorClass::internal:
    case ErrorClass::exhausted:
    case ErrorClass::unavailable:
    case ErrorClass::timeout:
    case ErrorClass::cancelled:
      return by_kind(error.kind());
    default:
      break;
  }
  for (const auto& row : kByCode) {
    if (row.code == code) return row;
  }
  if (code.starts_with("token_") || code.starts_with("authorization_")) return kUnauthorized;
  return by_kind(error.kind());
}

/// Whether the detail speaks of what the caller sent or may not do, and of nothing else.
bool detail_is_for_caller(ErrorClass kind) {
  return kind == ErrorClass::invalid || kind == ErrorClass::too_large ||
         kind == ErrorClass::denied || kind == ErrorClass::conflict;
}

}  // namespace

ErrorReply to_oci_error(const Error& error) {
  const Row row = row_of(error);
  std::string message(row.sentence);
  if (detail_is_for_caller(error.kind()) && !error.detail().empty()) {
    message += ": " + error.detail();
  }
  ErrorReply reply;
  reply.status = row.status;
  reply.body = R"({"errors":[{"code":)";
  append_json_string(reply.body, row.oci);
  reply.body += R"(,"message":)";
  append_json_string(reply.body, message);
  if (error.kind() != ErrorClass::internal) {
    reply.body += R"(,"detail":{"reason":)";
    append_json_string(reply.body, error.code());
    reply.body += '}';
  }
  reply.body += "}]}";
  return reply;
}

}  // namespace convoy::oci
