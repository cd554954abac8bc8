#pragma once

#include <string>

#include "net/http_pool.hpp"

namespace convoy::net {

/// Internal to net: one attempt at a request on one connection.
class HttpCall {
 public:
  /// Everything must outlive it.
  HttpCall(const HttpClientOptions& options, const HttpRequest& request, const std::string& head,
           ClientConnection& connection, Deadline deadline)
      : options_(options),
        request_(request),
        head_(head),
        connection_(connection),
        deadline_(deadline) {}

  /// Sends the request and reads the head of its final answer.
  Task<Result<ParsedResponse>> run();
  /// After an error: the connection was already closed when the request came, so that on
  /// another one it may still be answered for the first time.
  bool stale() const { return stale_ && !streamed_; }

 private:
  Task<Status> send();
  Task<Status> send_body();
  Task<Status> send_source();
  Task<Status> check_early_answer();
  Task<Result<ParsedResponse>> read_final();
  Task<Result<ParsedResponse>> read_one();
  void set_timeout(bool for_head);
  Error failure(Error);

  const HttpClientOptions& options_;
  const HttpRequest& request_;
  const std::string& head_;
  ClientConnection& connection_;
  Deadline deadline_;
  std::optional<ParsedResponse> early_;  ///< came before the body was sent
  int interim_ = 0;
  bool streamed_ = false;
  bool answered_ = false;  ///< a byte of an answer came
  bool stale_ = false;
};

/// The request line and all header fields, with the empty line. Errors "header_invalid",
/// "request_invalid".
Result<std::string> request_text(const HttpRequest&);

}  // namespace convoy::net
