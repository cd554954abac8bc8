#include "security/identity/operator_key.hpp"

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "storage/blob/posix_file.hpp"
#include "wire/auth/challenge.hpp"

namespace convoy::security {
namespace {

constexpr const char* kFile = "admin.json";

AuditEvent event_of(const http::RequestHead& request, const std::string& remote_ip,
                    const std::string& request_id) {
  AuditEvent event;
  event.remote_ip = remote_ip;
  event.request_id = request_id;
  event.extra.emplace_back("method", request.method);
  return event;
}

}  // namespace

Status OperatorKey::publish(int dir, std::string_view ops) const {
  std::string text = R"({"ops":)";
  append_json_string(text, ops);
  text += R"(,"token":)";
  append_json_string(text, token_.reveal());
  text += "}\n";
  auto done = storage::write_durably(dir, std::string(kFile) + ".new", dir, kFile, as_bytes(text));
  if (done) done = storage::sync_fd(dir);
  return done;
}

void OperatorKey::withdraw(int dir) noexcept { storage::remove_file(dir, kFile); }

bool OperatorKey::shown_in(const http::RequestHead& request) const {
  const auto text = request.headers.single("Authorization");
  if (!text) return false;
  auto credential = auth::parse_authorization(*text);
  if (!credential) return false;
  const auto* bearer = std::get_if<auth::BearerCredential>(&*credential);
  return bearer != nullptr &&
         constant_time_equal(as_bytes(bearer->token.reveal()), as_bytes(token_.reveal()));
}

bool OperatorKey::admits(const http::RequestHead& request, const std::string& remote_ip,
                         const std::string& request_id) const {
  if (shown_in(request)) return true;
  // A refused request may ask for anything; only known text goes into the log.
  AuditEvent event = event_of(request, remote_ip, request_id);
  event.action = "admin.refuse";
  event.outcome = AuditOutcome::refused;
  event.actor = "unknown";
  event.reason = "admin_token_refused";
  audit_.record(std::move(event));
  return false;
}

void OperatorKey::ordered(const http::RequestHead& request, const std::string& remote_ip,
                          const std::string& request_id) const {
  AuditEvent event = event_of(request, remote_ip, request_id);
  event.action = "admin.grant";
  event.outcome = AuditOutcome::granted;
  event.actor = "operator";
  event.extra.emplace_back("target", request.target);
  audit_.record(std::move(event));
}

}  // namespace convoy::security
