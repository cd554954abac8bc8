#include "demo/audit_watch.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <thread>

#include "demo/files.hpp"
#include "wire/json.hpp"

namespace convoy::demo {
namespace {
constexpr auto kPoll = std::chrono::milliseconds(50);
constexpr std::size_t kMaxAudit = 64 << 20;
}  // namespace

AuditWatch::AuditWatch(std::vector<std::pair<std::string, std::filesystem::path>> files) {
  for (auto& [role, path] : files) files_.push_back({role, path, 0});
}

void AuditWatch::mark() {
  for (auto& file : files_) {
    const auto text = read_file(file.path, kMaxAudit);
    file.seen = text ? text->size() : 0;
  }
}

std::optional<Refusal> AuditWatch::look(File& file, const std::vector<std::string>& actions) {
  const auto text = read_file(file.path, kMaxAudit);
  if (!text) return std::nullopt;
  for (std::size_t at = file.seen; at < text->size();) {
    const std::size_t end = text->find('\n', at);
    if (end == std::string::npos) break;
    const auto line = wire::parse_json_object(std::string_view(*text).substr(at, end - at));
    at = end + 1;
    if (!line) continue;
    const auto action = wire::json_string(*line, "action").value_or("");
    if (std::find(actions.begin(), actions.end(), action) == actions.end()) continue;
    return Refusal{file.role, action, wire::json_string(*line, "reason").value_or(action)};
  }
  return std::nullopt;
}

std::optional<Refusal> AuditWatch::wait(const std::vector<std::string>& actions,
                                        Duration patience) {
  for (Duration waited{};; waited += kPoll) {
    for (auto& file : files_) {
      if (auto found = look(file, actions)) return found;
    }
    if (waited >= patience) return std::nullopt;
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace convoy::demo
