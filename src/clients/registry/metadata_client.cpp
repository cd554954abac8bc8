#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "clients/registry/registry_client.hpp"
#include "clients/registry/registry_status.hpp"
#include "wire/http/headers.hpp"
#include "wire/json.hpp"

namespace convoy::clients {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;

std::optional<boost::json::object> parse(std::string_view body) {
  wire::JsonLimits limits;
  limits.max_bytes = kMaxAnswer;
  auto object = wire::parse_json_object(body, limits);
  if (!object) return std::nullopt;
  return std::move(*object);
}

bool is_blob_unknown(const boost::json::value& entry) {
  const auto* object = entry.if_object();
  if (object == nullptr) return false;
  const auto code = wire::json_string(*object, "code");
  return code && http::iequals(*code, "blob_unknown");
}

/// A 404 that says so means the blob; any other means that the route is not for us.
bool says_blob_unknown(std::string_view body) {
  const auto object = parse(body);
  if (!object) return false;
  if (const auto* one = object->if_contains("error")) return is_blob_unknown(*one);
  const auto* many = object->if_contains("errors");
  const auto* list = many == nullptr ? nullptr : many->if_array();
  return list != nullptr && !list->empty() && is_blob_unknown(list->front());
}

class HttpMetadataClient final : public RegistryMetadataClient {
 public:
  HttpMetadataClient(std::shared_ptr<net::HttpClient> http, http::Url base)
      : http_(std::move(http)), base_(std::move(base)) {}

  net::Task<Result<std::string>> metadata(oci::RepoName repo, oci::Digest digest,
                                          std::string request_id, Deadline deadline) override {
    net::HttpRequest request;
    request.url = base_;
    request.url.target = "/convoy/v1/metadata/" + repo.str() + "/" + digest.str();
    request.headers.add("X-Request-Id", request_id);
    auto response = co_await http_->send(std::move(request), deadline);
    if (!response) co_return registry_unreachable(response.error());
    auto body = co_await (*response)->read_all(kMaxAnswer);
    if (!body) co_return registry_unreachable(body.error());
    const int status = (*response)->status();
    if (status == 404 && says_blob_unknown(*body)) co_return not_found("blob_unknown");
    if (status != 200) {
      co_return unavailable("registry_unavailable",
                            "the metadata API answered " + std::to_string(status));
    }
    const auto object = parse(*body);
    auto statement = object ? wire::json_string(*object, "metadata") : std::nullopt;
    if (!statement) co_return unavailable("registry_unavailable", "no metadata in the answer");
    co_return std::move(*statement);
  }

 private:
  std::shared_ptr<net::HttpClient> http_;
  http::Url base_;
};

}  // namespace

std::unique_ptr<RegistryMetadataClient> make_registry_metadata_client(
    std::shared_ptr<net::HttpClient> http, http::Url base) {
  return std::make_unique<HttpMetadataClient>(std::move(http), std::move(base));
}

}  // namespace convoy::clients
