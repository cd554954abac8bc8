#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/http_body.hpp"
#include "net/http_client.hpp"

namespace convoy::net {

/// Internal to net: one connection of an HttpClient.
struct ClientConnection {
  StreamPtr stream;
  InputBuffer input;
  std::shared_ptr<const std::optional<TlsInfo>> tls;
  SteadyTime idle_since{};
};
using ClientConnectionPtr = std::unique_ptr<ClientConnection>;

/// Internal to net: idle connections by scheme, host and port.
class ClientPool {
 public:
  explicit ClientPool(std::size_t max_per_host) : max_(max_per_host) {}
  /// One that is still good, or null. The one used last comes first.
  ClientConnectionPtr take(const std::string& key);
  void give(const std::string& key, ClientConnectionPtr);
  void clear() { idle_.clear(); }

 private:
  void drop_old(SteadyTime now);
  std::size_t max_;
  std::unordered_map<std::string, std::vector<ClientConnectionPtr>> idle_;
};

/// Internal to net: an answer whose body still lies on its connection.
class PooledResponse final : public HttpResponse {
 public:
  PooledResponse(std::weak_ptr<ClientPool> pool, std::string key, ClientConnectionPtr connection,
                 ParsedResponse parsed);
  const http::ResponseHead& head() const override { return parsed_.head; }
  std::optional<std::uint64_t> length() const override { return parsed_.length; }
  Task<Result<std::size_t>> read_body(MutableByteView) override;
  Task<Result<std::string>> read_all(std::size_t limit) override;
  const std::optional<TlsInfo>& tls() const override { return *tls_; }

 private:
  void release_if_done();

  std::weak_ptr<ClientPool> pool_;
  const std::string key_;
  ClientConnectionPtr connection_;
  const std::shared_ptr<const std::optional<TlsInfo>> tls_;
  const ParsedResponse parsed_;
  BodyReader body_;
};

}  // namespace convoy::net
