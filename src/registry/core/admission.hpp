#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "registry/core/load.hpp"
#include "registry/core/request_rate.hpp"

namespace convoy::registry {

/// How dear a request is to its client, and so what is given up first.
enum class RequestKind : std::uint8_t {
  always,   ///< goes on with an upload, ends a push, asks who serves here
  listing,  ///< given up first, whoever asks
  begin,    ///< a login, an upload, a deletion: given up first, unless the client is in the middle
  pull,     ///< given up last, unless the client is in the middle of one
};

/// Who asks: a user at an address, as many machines may share one user; "" is nobody by name.
std::string client_key(std::string_view subject, std::string_view ip);

/// Decides which requests are taken at all: so many of each address and user, and under load only
/// those that go on with what was begun. One thread.
class Admission {
 public:
  struct Limits {
    RateLimit by_address;
    RateLimit by_user;
    LoadLimits load;
    /// Of one client while there is load, whatever it is in the middle of.
    RateLimit share{50, 200};
  };
  Admission(Limits, const Clock&, Random&);

  /// Errors: exhausted "rate_limited"; the detail is the number of seconds to wait.
  Status take_address(std::string_view ip);
  Status take_user(std::string_view subject);

  /// Error: unavailable "overloaded"; the detail is the number of seconds to wait, another for each
  /// so that they do not come back at once. Under load nothing of a client passes that asks for
  /// more than its share: a crowd of one is not to be what others wait for.
  Status take_load(RequestKind, const std::string& client);
  /// A request of this client was served: a push or a pull is under way, and goes on even under
  /// load. Pulls are not noted while overloaded, or those who cause it would never be refused.
  void note_push(const std::string& client);
  void note_pull(const std::string& client);

  void measured(const LoadSample& sample) { judge_.note(sample, clock_.steady()); }
  LoadLevel level() const { return judge_.level(); }

 private:
  Status come_back_later();

  const Clock& clock_;
  Random& random_;
  RequestRate by_address_;
  RequestRate by_user_;
  RequestRate by_client_;  // under load
  LoadJudge judge_;
  KeyedCells under_way_;  ///< until when
};

}  // namespace convoy::registry
