#include "tracker/api/errors.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

namespace convoy::tracker {
namespace {

int status_of(ErrorClass kind) {
  switch (kind) {
    case ErrorClass::invalid:
      return 400;
    case ErrorClass::unauthorized:
      return 401;
    case ErrorClass::denied:
      return 403;
    case ErrorClass::not_found:
      return 404;
    case ErrorClass::conflict:
      return 409;
    case ErrorClass::too_large:
      return 413;
    case ErrorClass::exhausted:
      return 429;
    case ErrorClass::unavailable:
    case ErrorClass::cancelled:
      return 503;
    case ErrorClass::timeout:
      return 504;
    case ErrorClass::corrupt:
    case ErrorClass::internal:
      return 500;
  }
  return 500;
}

using Sentence = std::pair<std::string_view, std::string_view>;

constexpr std::array kByCode{
    Sentence{"certificate_required", "This route needs a node certificate of this cluster."},
    Sentence{"join_token_invalid", "The join token is unknown, used, expired or for another node."},
    Sentence{"node_name_taken", "Another node enrolled under this name; use a token bound to it."},
    Sentence{"registry_unknown", "This tracker does not serve that registry."},
    Sentence{"authorization_required", "The registry wants a credential for this pull."},
    Sentence{"pull_denied", "The credential does not allow pulling from that repository."},
    Sentence{"blob_unknown", "The repository does not hold that blob."},
    Sentence{"registry_unavailable", "The registry cannot be asked right now."},
    Sentence{"origin_cannot_leech", "An origin may only ask for seed tickets."},
    Sentence{"grant_missing", "Ask for a ticket for this swarm first."},
};

std::string_view sentence(ErrorClass kind, std::string_view code) {
  const auto* it = std::find_if(kByCode.begin(), kByCode.end(),
                                [&](const Sentence& s) { return s.first == code; });
  if (it != kByCode.end()) return it->second;
  switch (kind) {
    case ErrorClass::invalid:
      return "The request is malformed.";
    case ErrorClass::unauthorized:
      return "The credential was not accepted.";
    case ErrorClass::denied:
      return "This identity may not do that.";
    case ErrorClass::not_found:
      return "There is no such thing here.";
    case ErrorClass::conflict:
      return "The current state forbids it.";
    case ErrorClass::too_large:
      return "The request is too large.";
    case ErrorClass::exhausted:
      return "Too many requests; try again later.";
    case ErrorClass::timeout:
      return "It took too long.";
    case ErrorClass::unavailable:
    case ErrorClass::cancelled:
      return "Not available right now; try again later.";
    default:
      return "The tracker failed.";
  }
}

}  // namespace

ErrorReply to_tracker_error(const Error& error) {
  const int status = status_of(error.kind());
  const std::string_view code = status == 500 ? std::string_view("internal") : error.code();
  boost::json::object inner;
  inner["code"] = code;
  inner["message"] = sentence(error.kind(), code);
  boost::json::object body;
  body["error"] = std::move(inner);
  return {status, boost::json::serialize(body)};
}

std::string to_failure_reason(const Error& error) {
  return status_of(error.kind()) == 500 ? "internal" : error.code();
}

}  // namespace convoy::tracker
