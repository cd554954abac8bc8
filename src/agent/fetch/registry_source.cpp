#include "agent/fetch/registry_source.hpp"

#include <algorithm>
#include <vector>

#include "agent/fetch/authorizer.hpp"
#include "net/task_group.hpp"

namespace convoy::agent {
namespace {

constexpr Duration kHeadPatience = std::chrono::seconds(10);
constexpr Duration kPause = std::chrono::milliseconds(200);
constexpr int kAttempts = 3;
constexpr std::size_t kMaxTurn = 256 * 1024;

}  // namespace

net::Task<Status> RegistrySource::open() {
  const Deadline deadline = Deadline::in(clock_, kHeadPatience);
  auto get = [this, deadline](std::optional<Secret> credential) {
    return ask_.upstream->client->get_blob(ask_.repository, ask_.digest, position_,
                                           std::move(credential), ask_.request_id, deadline);
  };
  auto response = co_await ask_with_credential(ask_, deadline, std::move(get));
  if (!response) co_return std::move(response).error();
  const bool whole = (*response)->status() == 200;
  const std::uint64_t expected = whole ? size_ : size_ - position_;
  if ((*response)->length().value_or(expected) != expected) {
    co_return corrupt("blob_size", "the registry's answer has another length");
  }
  response_ = std::move(*response);
  if (whole && position_ > 0) co_return co_await skip(position_);
  co_return Status{};
}

net::Task<Status> RegistrySource::skip(std::uint64_t bytes) {
  std::vector<std::uint8_t> buffer(64 * 1024);
  while (bytes > 0) {
    const std::size_t want =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, buffer.size()));
    auto n = co_await response_->read_body(MutableByteView(buffer.data(), want));
    if (!n) co_return std::move(n).error();
    if (*n == 0) co_return corrupt("blob_size", "the registry's answer is too short");
    bytes -= *n;
  }
  co_return Status{};
}

net::Task<Result<std::size_t>> RegistrySource::read_some(MutableByteView out) {
  if (!response_) {
    auto opened = co_await open();
    if (!opened) {
      response_.reset();
      co_return std::move(opened).error();
    }
  }
  if (rate_) {
    const bool may = co_await rate_->acquire(out.size());
    if (!may) co_return cancelled();
  }
  auto n = co_await response_->read_body(out);
  if (rate_) rate_->give_back(out.size() - n.value_or(0));
  if (!n) response_.reset();
  co_return n;
}

net::Task<Result<std::size_t>> RegistrySource::read_full(MutableByteView out) {
  std::size_t filled = 0;
  int failures = 0;
  const std::size_t want =
      static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - position_));
  while (filled < want) {
    // The swarm is charged to the same accounts.
    const std::size_t turn = rate_ ? rate_->turn(kMaxTurn) : kMaxTurn;
    const std::size_t chunk = std::min(want - filled, turn);
    auto n = co_await read_some(out.subspan(filled, chunk));
    if (n && *n > 0) {
      filled += *n;
      position_ += *n;
      failures = 0;
      continue;
    }
    if (n) co_return corrupt("blob_size", "the registry's answer is too short");
    const Error& error = n.error();
    const bool final = is_refusal(error) || error.kind() == ErrorClass::corrupt ||
                       error.kind() == ErrorClass::cancelled || ++failures >= kAttempts;
    if (final) co_return std::move(n).error();
    const bool awake = co_await net::sleep_for(kPause);
    if (!awake) co_return cancelled();
  }
  co_return filled;
}

}  // namespace convoy::agent
