#include <algorithm>
#include <charconv>

#include "registry/api/answer.hpp"
#include "registry/api/context.hpp"
#include "wire/json.hpp"
#include "wire/oci/manifest.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kReferrersPage = 1000;
constexpr std::size_t kReferrersBytes = 4 * 1024 * 1024 - 1024;

/// "n": what is too large is cut to the largest page, what is no number is an error.
Result<std::size_t> page_size(const http::Target& target, const RegistryLimits& limits) {
  const auto text = target.query_value("n");
  if (!text) return limits.page_default;
  if (text->empty() || text->find_first_not_of("0123456789") != std::string_view::npos) {
    return invalid("pagination_invalid", "n is not a number");
  }
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
  if (error == std::errc::result_out_of_range) return limits.page_max;
  return std::min(n, limits.page_max);
}

std::string next_link(std::string_view path, std::string_view query) {
  return "<" + std::string(path) + "?" + std::string(query) + ">; rel=\"next\"";
}

/// The part of a query for which one row more was read than the page holds.
void cut_page(std::vector<std::string>& names, std::size_t n, std::string_view path,
              http::ResponseHead& head) {
  if (names.size() <= n) return;
  names.resize(n);
  const std::string query =
      "n=" + std::to_string(n) + "&last=" + http::percent_encode(names.back());
  head.headers.set("Link", next_link(path, query));
}

std::string to_json(const storage::Referrer& r) {
  std::string out = R"({"mediaType":)";
  append_json_string(out, r.media_type);
  out += R"(,"size":)" + std::to_string(r.size) + R"(,"digest":)";
  append_json_string(out, r.digest.str());
  if (!r.artifact_type.empty()) {
    out += R"(,"artifactType":)";
    append_json_string(out, r.artifact_type);
  }
  if (r.annotations_json != "{}") out += R"(,"annotations":)" + r.annotations_json;
  return out + '}';
}

std::string link_after(const storage::Referrer& last, const Call& call, const std::string& type) {
  std::string query = "last=" + http::percent_encode(last.digest.str());
  if (!type.empty()) query += "&artifactType=" + http::percent_encode(type);
  return next_link("/v2/" + call.repository().str() + "/referrers/" + call.route.last, query);
}

/// An index of as many as a page holds, at least one; what is left is linked to.
std::string referrers_page(const std::vector<storage::Referrer>& found, const Call& call,
                           const std::string& type, http::ResponseHead& head) {
  std::string body = R"({"schemaVersion":2,"mediaType":)";
  append_json_string(body, oci::kMediaOciIndex);
  body += R"(,"manifests":[)";
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string row = to_json(found[i]);
    if (i == kReferrersPage || (i > 0 && body.size() + row.size() > kReferrersBytes)) {
      head.headers.set("Link", link_after(found[i - 1], call, type));
      break;
    }
    if (i > 0) body += ',';
    body += row;
  }
  body += "]}";
  return body;
}

}  // namespace

net::Task<Status> get_ping(Context&, Call& call) {
  http::ResponseHead head = head_of(200);
  head.headers.set("Content-Type", "application/json");
  std::string body = "{}";
  co_return co_await call.exchange.respond(std::move(head), std::move(body));
}

net::Task<Status> get_catalog(Context& api, Call& call) {
  auto n = page_size(call.target, api.options.limits);
  if (!n) co_return std::move(n).error();
  const std::string last(call.target.query_value("last").value_or(""));
  std::vector<std::string> names;
  http::ResponseHead head = head_of(200);
  if (*n > 0) {
    auto job = [&api, &last, limit = *n + 1] { return api.meta.repositories(last, limit); };
    auto found = co_await api.pool.run(std::move(job));
    if (!found) co_return std::move(found).error();
    names = std::move(*found);
    cut_page(names, *n, "/v2/_catalog", head);
  }
  head.headers.set("Content-Type", "application/json");
  std::string body = R"({"repositories":)" + wire::json_list(names) + '}';
  co_return co_await call.exchange.respond(std::move(head), std::move(body));
}

net::Task<Status> get_tags(Context& api, Call& call) {
  auto n = page_size(call.target, api.options.limits);
  if (!n) co_return std::move(n).error();
  const std::string last(call.target.query_value("last").value_or(""));
  // A page of none still says whether the repository is there.
  auto job = [&api, &call, &last, limit = *n + 1] {
    return api.meta.tags(call.repository(), last, limit);
  };
  auto found = co_await api.pool.run(std::move(job));
  if (!found) co_return std::move(found).error();
  http::ResponseHead head = head_of(200);
  if (*n == 0) {
    found->clear();
  } else {
    cut_page(*found, *n, "/v2/" + call.repository().str() + "/tags/list", head);
  }
  head.headers.set("Content-Type", "application/json");
  std::string body = R"({"name":)";
  append_json_string(body, call.repository().str());
  body += R"(,"tags":)" + wire::json_list(*found) + '}';
  co_return co_await call.exchange.respond(std::move(head), std::move(body));
}

net::Task<Status> get_referrers(Context& api, Call& call) {
  auto subject = oci::Digest::parse(call.route.last);
  if (!subject) co_return std::move(subject).error();
  storage::ReferrerQuery query;
  query.artifact_type = call.target.query_value("artifactType").value_or("");
  query.after = call.target.query_value("last").value_or("");
  query.limit = kReferrersPage + 1;
  query.bytes = kReferrersBytes;
  http::ResponseHead head = head_of(200);
  std::string body;
  {  // what was found is not kept while the answer is sent
    auto job = [&] { return api.meta.referrers(call.repository(), *subject, query); };
    auto found = co_await api.pool.run(std::move(job));
    if (!found) co_return std::move(found).error();
    body = referrers_page(*found, call, query.artifact_type, head);
  }
  head.headers.set("Content-Type", std::string(oci::kMediaOciIndex));
  if (!query.artifact_type.empty()) head.headers.set("OCI-Filters-Applied", "artifactType");
  co_return co_await call.exchange.respond(std::move(head), std::move(body));
}

}  // namespace convoy::registry
