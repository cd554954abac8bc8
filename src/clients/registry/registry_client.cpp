#include "clients/registry/registry_client.hpp"

#include <algorithm>
#include <charconv>

#include "clients/registry/registry_status.hpp"
#include "clients/registry/token_source.hpp"
#include "wire/http/headers.hpp"

namespace convoy::clients {
namespace {

constexpr int kMaxRedirects = 3;
using ResponsePtr = std::unique_ptr<net::HttpResponse>;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool same_origin(const http::Url& a, const http::Url& b) {
  return a.tls == b.tls && a.port == b.port && http::iequals(a.host, b.host);
}

/// Where a Location leads; never from TLS to plain HTTP.
Result<http::Url> redirect_target(const net::HttpResponse& response, const http::Url& from) {
  const auto location = response.head().headers.single("Location");
  if (!location || location->empty()) {
    return unavailable("registry_unavailable", "redirect without a Location");
  }
  if (location->front() == '/' && !location->starts_with("//")) {
    http::Url url = from;
    url.target = std::string(location->substr(0, location->find('#')));
    return url;
  }
  auto url = http::parse_url(*location);
  if (!url) return unavailable("registry_unavailable", "redirect to no URL");
  if (from.tls && !url->tls) return unavailable("registry_unavailable", "redirect out of TLS");
  return url;
}

class HttpRegistryClient final : public RegistryClient {
 public:
  HttpRegistryClient(std::shared_ptr<net::HttpClient> http, http::Url base,
                     std::vector<std::string> token_hosts, const Clock& clock)
      : http_(http), base_(base), tokens_(std::move(http), base, std::move(token_hosts), clock) {}

  net::Task<Result<BlobInfo>> head_blob(oci::RepoName repo, oci::Digest digest,
                                        std::optional<Secret> authorization, std::string request_id,
                                        Deadline deadline) override;
  net::Task<Result<std::optional<Secret>>> authorize_pull(
      oci::RepoName repo, std::optional<RegistryCredential> credential, std::string request_id,
      Deadline deadline) override;
  net::Task<Result<std::optional<Secret>>> reauthorize_pull(
      oci::RepoName repo, std::optional<RegistryCredential> credential,
      std::optional<Secret> refused, std::string request_id, Deadline deadline) override;
  net::Task<void> hello(std::string request_id, Deadline deadline) override {
    return tokens_.hello(std::move(request_id), deadline);
  }
  net::Task<Result<ResponsePtr>> get_blob(oci::RepoName repo, oci::Digest digest,
                                          std::uint64_t offset, std::optional<Secret> authorization,
                                          std::string request_id, Deadline deadline) override;
  net::Task<Result<ResponsePtr>> forward(net::HttpRequest request, Deadline deadline) override;

 private:
  net::HttpRequest blob_request(std::string method, const oci::RepoName& repo,
                                const oci::Digest& digest,
                                const std::optional<Secret>& authorization,
                                const std::string& request_id) const;
  /// Sends and follows redirects; Authorization stays with the registry's own origin.
  net::Task<Result<ResponsePtr>> follow(net::HttpRequest request, Deadline deadline);

  std::shared_ptr<net::HttpClient> http_;
  http::Url base_;
  TokenSource tokens_;
};

net::HttpRequest HttpRegistryClient::blob_request(std::string method, const oci::RepoName& repo,
                                                  const oci::Digest& digest,
                                                  const std::optional<Secret>& authorization,
                                                  const std::string& request_id) const {
  net::HttpRequest request;
  request.method = std::move(method);
  request.url = base_;
  request.url.target = "/v2/" + repo.str() + "/blobs/" + digest.str();
  request.headers.add("X-Request-Id", request_id);
  if (authorization) request.headers.add("Authorization", std::string(authorization->reveal()));
  return request;
}

net::Task<Result<ResponsePtr>> HttpRegistryClient::follow(net::HttpRequest request,
                                                          Deadline deadline) {
  for (int hop = 0;; ++hop) {
    net::HttpRequest copy = request;
    auto response = co_await http_->send(std::move(copy), deadline);
    if (!response) co_return registry_unreachable(response.error());
    if (!is_redirect((*response)->status())) co_return std::move(response);
    if (hop == kMaxRedirects) co_return unavailable("registry_unavailable", "too many redirects");
    auto next = redirect_target(**response, request.url);
    if (!next) co_return std::move(next).error();
    // A credential that was dropped on the way never comes back, whoever redirects.
    if (!same_origin(*next, base_)) request.headers.remove("Authorization");
    request.url = std::move(*next);
  }
}

net::Task<Result<BlobInfo>> HttpRegistryClient::head_blob(oci::RepoName repo, oci::Digest digest,
                                                          std::optional<Secret> authorization,
                                                          std::string request_id,
                                                          Deadline deadline) {
  net::HttpRequest request = blob_request("HEAD", repo, digest, authorization, request_id);
  auto response = co_await follow(std::move(request), deadline);
  if (!response) co_return std::move(response).error();
  if (auto refusal = registry_refusal((*response)->status())) co_return std::move(*refusal);
  const http::Headers& headers = (*response)->head().headers;
  BlobInfo info;
  const auto length = headers.single("Content-Length");
  const char* end = length ? length->data() + length->size() : nullptr;
  const bool good =
      length && !length->empty() && std::from_chars(length->data(), end, info.size).ptr == end;
  if (!good) co_return unavailable("registry_unavailable", "no length of the blob");
  info.content_type = std::string(headers.get("Content-Type").value_or(""));
  co_return info;
}

net::Task<Result<std::optional<Secret>>> HttpRegistryClient::authorize_pull(
    oci::RepoName repo, std::optional<RegistryCredential> credential, std::string request_id,
    Deadline deadline) {
  return tokens_.pull(std::move(repo), std::move(credential), std::move(request_id), deadline);
}

net::Task<Result<std::optional<Secret>>> HttpRegistryClient::reauthorize_pull(
    oci::RepoName repo, std::optional<RegistryCredential> credential, std::optional<Secret> refused,
    std::string request_id, Deadline deadline) {
  return tokens_.pull_again(std::move(repo), std::move(credential), std::move(refused),
                            std::move(request_id), deadline);
}

net::Task<Result<ResponsePtr>> HttpRegistryClient::get_blob(oci::RepoName repo, oci::Digest digest,
                                                            std::uint64_t offset,
                                                            std::optional<Secret> authorization,
                                                            std::string request_id,
                                                            Deadline deadline) {
  net::HttpRequest request = blob_request("GET", repo, digest, authorization, request_id);
  request.headers.add("Accept-Encoding", "identity");
  if (offset > 0) request.headers.add("Range", "bytes=" + std::to_string(offset) + "-");
  auto response = co_await follow(std::move(request), deadline);
  if (!response) co_return std::move(response).error();
  if (auto refusal = registry_refusal((*response)->status())) co_return std::move(*refusal);
  if ((*response)->status() == 206) {
    const auto header = (*response)->head().headers.single("Content-Range");
    if (!header) co_return unavailable("registry_unavailable", "206 without Content-Range");
    const auto range = http::parse_content_range(*header);
    const bool right = range.ok() && offset > 0 && range->range.offset == offset &&
                       range->range.offset + range->range.length == range->size;
    if (!right) co_return unavailable("registry_unavailable", "206 of another range");
  }
  co_return std::move(response);
}

net::Task<Result<ResponsePtr>> HttpRegistryClient::forward(net::HttpRequest request,
                                                           Deadline deadline) {
  const std::string target = request.url.target;
  if (target != "/v2" && !target.starts_with("/v2/") && !target.starts_with("/v2?")) {
    co_return invalid("target_invalid", "only targets under /v2/ are passed on");
  }
  request.url = base_;
  request.url.target = target;
  auto response = co_await http_->send(std::move(request), deadline);
  if (!response) co_return registry_unreachable(response.error());
  co_return std::move(response);
}

}  // namespace

std::unique_ptr<RegistryClient> make_registry_client(std::shared_ptr<net::HttpClient> http,
                                                     http::Url base,
                                                     std::vector<std::string> token_hosts,
                                                     const Clock& clock) {
  return std::make_unique<HttpRegistryClient>(std::move(http), std::move(base),
                                              std::move(token_hosts), clock);
}

}  // namespace convoy::clients
