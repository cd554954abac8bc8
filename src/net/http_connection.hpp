#pragma once

#include <optional>

#include "net/http_buffer.hpp"
#include "net/http_exchange.hpp"

namespace convoy::net {

/// Internal to net: one client connection of an HttpServer, request after request.
class HttpConnection {
 public:
  HttpConnection(HttpServerShared&, StreamPtr);
  /// Until the connection is over.
  Task<void> run();

  /// Whether a request is under way whose answer the client waits for here.
  bool busy() const { return busy_ && stream_; }
  void abort() noexcept {
    if (stream_) stream_->abort();
  }

 private:
  /// Nothing when the client is gone or idle; an error is a refusal to be answered.
  Task<Result<std::optional<ParsedRequest>>> read_head();
  Task<bool> serve(ParsedRequest);
  Task<void> call_handler(Exchange&);
  Task<void> refuse(Error);
  Task<void> linger();

  HttpServerShared& shared_;
  StreamPtr stream_;
  const std::optional<TlsInfo> tls_;
  InputBuffer input_;
  bool busy_ = false;
};

}  // namespace convoy::net
