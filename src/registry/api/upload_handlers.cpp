#include "registry/api/answer.hpp"
#include "registry/api/context.hpp"
#include "registry/api/mount.hpp"
#include "wire/http/range.hpp"

namespace convoy::registry {
namespace {

std::string upload_location(const Call& call, const std::string& id) {
  return "/v2/" + call.repository().str() + "/blobs/uploads/" + id;
}

/// "0-<last>"; clients read two numbers, so an empty upload is "0-0" as well.
std::string progress(std::uint64_t size) { return "0-" + std::to_string(size == 0 ? 0 : size - 1); }

http::ResponseHead upload_head(int status, const Call& call, const Upload& upload) {
  http::ResponseHead head = head_of(status);
  head.headers.set("Location", upload_location(call, upload.id()));
  head.headers.set("Range", progress(upload.size()));
  head.headers.set("Docker-Upload-UUID", upload.id());
  return head;
}

http::ResponseHead created_head(const Call& call, const oci::Digest& digest) {
  http::ResponseHead head = head_of(201);
  head.headers.set("Location", "/v2/" + call.repository().str() + "/blobs/" + digest.str());
  head.headers.set("Docker-Content-Digest", digest.str());
  return head;
}

BodyReader body_of(net::HttpExchange& exchange) {
  return [&exchange](MutableByteView out) { return exchange.read_body(out); };
}

/// What Content-Range says against where the upload stands. Errors "content_range_invalid",
/// "upload_out_of_order", "size_invalid".
Status check_order(const net::HttpExchange& exchange, const Upload& upload) {
  const http::Headers& headers = exchange.request().headers;
  if (!headers.has("Content-Range")) return {};
  const auto text = headers.single("Content-Range");
  if (!text) return invalid("content_range_invalid", "more than one");
  auto range = http::parse_upload_range(*text);
  if (!range) return std::move(range).error();
  if (range->offset != upload.size()) return invalid("upload_out_of_order");
  const auto length = exchange.body_length();
  if (length && *length != range->length) return invalid("size_invalid");
  return {};
}

/// How many bytes the body has to have, as Content-Length or Content-Range say.
std::optional<std::uint64_t> expected_length(const net::HttpExchange& exchange) {
  if (const auto length = exchange.body_length()) return length;
  const auto text = exchange.request().headers.single("Content-Range");
  if (!text) return std::nullopt;
  auto range = http::parse_upload_range(*text);
  if (!range) return std::nullopt;
  return range->length;
}

net::Task<Status> refuse_order(Call& call, const Upload& upload, Error error) {
  http::ResponseHead head = upload_head(416, call, upload);
  co_return co_await respond_error(call.exchange, std::move(error), std::move(head));
}

net::Task<Status> begin_upload(Context& api, Call& call, oci::DigestAlgorithm algorithm) {
  oci::RepoName repository = call.repository();
  std::string subject = call.caller.subject;
  auto hold = co_await api.uploads.begin(std::move(repository), std::move(subject), algorithm);
  if (!hold) co_return std::move(hold).error();
  http::ResponseHead head = upload_head(202, call, *hold->upload());
  co_return co_await respond_empty(call.exchange, std::move(head));
}

net::Task<Status> finish_upload(Context& api, Call& call, std::shared_ptr<Upload> upload,
                                oci::Digest digest) {
  auto size = co_await api.uploads.finish(std::move(upload), digest);
  if (!size) co_return std::move(size).error();
  http::ResponseHead head = created_head(call, digest);
  co_return co_await respond_empty(call.exchange, std::move(head));
}

/// POST with ?digest= and the whole blob as its body.
net::Task<Status> single_post(Context& api, Call& call, oci::Digest digest) {
  oci::RepoName repository = call.repository();
  std::string subject = call.caller.subject;
  auto hold =
      co_await api.uploads.begin(std::move(repository), std::move(subject), digest.algorithm());
  if (!hold) co_return std::move(hold).error();
  std::shared_ptr<Upload> upload = hold->upload();
  BodyReader body = body_of(call.exchange);
  Status stored = co_await api.uploads.append(upload, std::move(body), call.exchange.body_length());
  if (!stored) {
    co_await api.uploads.cancel(upload);
    co_return stored;
  }
  co_return co_await finish_upload(api, call, std::move(upload), digest);
}

net::Task<Result<UploadHold>> find_upload(Context& api, Call& call) {
  oci::RepoName repository = call.repository();
  std::string subject = call.caller.subject;
  std::string id = call.route.last;
  co_return co_await api.uploads.find(std::move(repository), std::move(subject), std::move(id));
}

Result<oci::DigestAlgorithm> wanted_algorithm(const http::Target& target) {
  const auto text = target.query_value("digest-algorithm");
  if (!text || *text == "sha256") return oci::DigestAlgorithm::sha256;
  if (*text == "sha512") return oci::DigestAlgorithm::sha512;
  return invalid("digest_invalid", "digest-algorithm");
}

}  // namespace

net::Task<Status> post_upload(Context& api, Call& call) {
  const auto mount = call.target.query_value("mount");
  if (mount) {
    std::optional<std::string> from;
    if (const auto text = call.target.query_value("from")) from.emplace(*text);
    auto digest = oci::Digest::parse(*mount);
    if (!digest) co_return std::move(digest).error();
    auto mounted = co_await try_mount(api, call, *digest, std::move(from));
    if (!mounted) co_return std::move(mounted).error();
    if (*mounted) {
      call.digest = digest->str();
      http::ResponseHead head = created_head(call, *digest);
      co_return co_await respond_empty(call.exchange, std::move(head));
    }
    // Not mountable for this caller: an ordinary upload begins.
    co_return co_await begin_upload(api, call, digest->algorithm());
  }
  if (const auto text = call.target.query_value("digest")) {
    auto digest = oci::Digest::parse(*text);
    if (!digest) co_return std::move(digest).error();
    call.digest = digest->str();
    co_return co_await single_post(api, call, *digest);
  }
  auto algorithm = wanted_algorithm(call.target);
  if (!algorithm) co_return std::move(algorithm).error();
  co_return co_await begin_upload(api, call, *algorithm);
}

net::Task<Status> get_upload(Context& api, Call& call) {
  auto hold = co_await find_upload(api, call);
  if (!hold) co_return std::move(hold).error();
  http::ResponseHead head = upload_head(204, call, *hold->upload());
  co_return co_await respond_empty(call.exchange, std::move(head));
}

net::Task<Status> patch_upload(Context& api, Call& call) {
  auto hold = co_await find_upload(api, call);
  if (!hold) co_return std::move(hold).error();
  const std::shared_ptr<Upload> upload = hold->upload();
  if (auto order = check_order(call.exchange, *upload); !order) {
    if (order.error().code() != "upload_out_of_order") co_return order;
    Error why = std::move(order).error();
    co_return co_await refuse_order(call, *upload, std::move(why));
  }
  BodyReader body = body_of(call.exchange);
  const auto expected = expected_length(call.exchange);
  Status stored = co_await api.uploads.append(upload, std::move(body), expected);
  if (!stored) co_return stored;
  http::ResponseHead head = upload_head(202, call, *upload);
  co_return co_await respond_empty(call.exchange, std::move(head));
}

net::Task<Status> put_upload(Context& api, Call& call) {
  const auto text = call.target.query_value("digest");
  auto digest = oci::Digest::parse(text.value_or(""));
  if (!digest) co_return std::move(digest).error();
  call.digest = digest->str();
  auto hold = co_await find_upload(api, call);
  if (!hold) co_return std::move(hold).error();
  const std::shared_ptr<Upload> upload = hold->upload();
  if (auto order = check_order(call.exchange, *upload); !order) {
    if (order.error().code() != "upload_out_of_order") co_return order;
    Error why = std::move(order).error();
    co_return co_await refuse_order(call, *upload, std::move(why));
  }
  BodyReader body = body_of(call.exchange);
  const auto expected = expected_length(call.exchange);
  Status stored = co_await api.uploads.append(upload, std::move(body), expected);
  if (!stored) co_return stored;
  co_return co_await finish_upload(api, call, upload, *digest);
}

net::Task<Status> delete_upload(Context& api, Call& call) {
  auto hold = co_await find_upload(api, call);
  if (!hold) co_return std::move(hold).error();
  co_await api.uploads.cancel(hold->upload());
  co_return co_await respond_empty(call.exchange, head_of(204));
}

}  // namespace convoy::registry
