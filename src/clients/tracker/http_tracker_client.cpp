#include "clients/tracker/http_tracker_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "clients/tracker/tracker_answers.hpp"

namespace convoy::clients {
namespace {

namespace json = boost::json;

struct Call {
  std::string method = "POST";
  std::string target;
  std::string body;
  std::string request_id;
};

json::array list_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

std::string ticket_body(const TicketRequest& request) {
  json::object body;
  body["registry"] = request.registry;
  if (request.repository) body["repository"] = request.repository->str();
  body["digest"] = request.digest.str();
  if (request.authorization) body["authorization"] = request.authorization->reveal();
  body["act"] = list_of(request.act);
  body["port"] = request.port;
  if (!request.zone.common()) body["zone"] = request.zone.str();
  if (request.known) body["known"] = to_hex(*request.known);
  return json::serialize(body);
}

class HttpTrackerClient final : public TrackerClient {
 public:
  HttpTrackerClient(std::shared_ptr<net::HttpClient> http, http::Url base)
      : http_(std::move(http)), base_(std::move(base)) {}

  net::Task<void> hello(Deadline deadline) override {
    Call call;
    call.method = "GET";
    call.target = "/v1/hello";
    auto answer = co_await send(std::move(call), deadline);
    static_cast<void>(answer);
  }

  net::Task<Result<Enrolment>> enrol(EnrolRequest request, Deadline deadline) override {
    json::object body;
    body["token"] = request.token.reveal();
    body["name"] = request.name;
    body["csr"] = request.csr_pem;
    body["zone"] = request.zone.str();
    Call call;
    call.target = "/v1/enrol";
    call.body = json::serialize(body);
    auto answer = co_await send(std::move(call), deadline);
    if (!answer) co_return std::move(answer).error();
    co_return parse_enrolment(*answer);
  }

  net::Task<Result<Enrolment>> renew(std::string csr_pem, Deadline deadline) override {
    json::object body;
    body["csr"] = csr_pem;
    Call call;
    call.target = "/v1/renew";
    call.body = json::serialize(body);
    auto answer = co_await send(std::move(call), deadline);
    if (!answer) co_return std::move(answer).error();
    co_return parse_enrolment(*answer);
  }

  net::Task<Result<TicketReply>> ticket(TicketRequest request, Deadline deadline) override {
    Call call;
    call.target = "/v1/tickets";
    call.body = ticket_body(request);
    call.request_id = request.request_id;
    auto answer = co_await send(std::move(call), deadline);
    if (!answer) co_return std::move(answer).error();
    co_return parse_ticket_reply(*answer, request.known);
  }

  net::Task<Result<bt::AnnounceReply>> announce(bt::AnnounceRequest request,
                                                Deadline deadline) override {
    Call call;
    call.method = "GET";
    call.target = "/announce?" + bt::to_query(request);
    auto answer = co_await send(std::move(call), deadline);
    if (!answer) co_return std::move(answer).error();
    co_return parse_announce_answer(*answer);
  }

  net::Task<Result<std::chrono::seconds>> register_origin(OriginRegistration request,
                                                          Deadline deadline) override {
    json::object body;
    body["registry"] = request.registry;
    body["port"] = request.port;
    if (!request.zone.common()) body["zone"] = request.zone.str();
    Call call;
    call.target = "/v1/origins";
    call.body = json::serialize(body);
    call.request_id = request.request_id;
    auto answer = co_await send(std::move(call), deadline);
    if (!answer) co_return std::move(answer).error();
    co_return parse_interval(*answer);
  }

  net::Task<Status> report(PeerReport report, Deadline deadline) override {
    json::object body;
    body["info_hash"] = report.info_hash;
    body["node"] = report.node;
    body["reason"] = report.reason;
    body["piece"] = report.piece;
    body["count"] = report.count;
    Call call;
    call.target = "/v1/reports";
    call.body = json::serialize(body);
    auto answer = co_await send(std::move(call), deadline);
    if (!answer) co_return std::move(answer).error();
    co_return Status{};
  }

 private:
  /// The body of a 2xx answer.
  net::Task<Result<std::string>> send(Call call, Deadline deadline) {
    net::HttpRequest request;
    request.method = call.method;
    request.url = base_;
    request.url.target = call.target;
    if (!call.request_id.empty()) request.headers.add("X-Request-Id", call.request_id);
    if (!call.body.empty()) request.headers.add("Content-Type", "application/json");
    request.body = std::move(call.body);
    auto response = co_await http_->send(std::move(request), deadline);
    if (!response) co_return unreachable(response.error());
    auto body = co_await (*response)->read_all(kMaxTrackerAnswer);
    if (!body) co_return unreachable(body.error());
    const int status = (*response)->status();
    if (status < 200 || status > 299) co_return tracker_error(status, *body);
    co_return std::move(*body);
  }

  static Error unreachable(const Error& cause) {
    if (cause.kind() == ErrorClass::cancelled) return cause;
    return unavailable("tracker_unreachable", cause.text());
  }

  std::shared_ptr<net::HttpClient> http_;
  http::Url base_;
};

}  // namespace

std::unique_ptr<TrackerClient> make_http_tracker_client(std::shared_ptr<net::HttpClient> http,
                                                        http::Url base) {
  return std::make_unique<HttpTrackerClient>(std::move(http), std::move(base));
}

}  // namespace convoy::clients
