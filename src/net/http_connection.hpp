#pragma once

#include <optional>

#include "net/connection_book.hpp"
#include "net/http_buffer.hpp"
#include "net/http_exchange.hpp"

namespace convoy::net {

/// Internal to net: one client connection of an HttpServer, request after request.
class HttpConnection {
 public:
  /// `place` is told when a request is under way; null for a connection that stands in no book.
  HttpConnection(HttpServerShared&, StreamPtr, ConnectionBook::Place* place);
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
  Task<void> let_others();
  /// From here on another connection may have this one's place.
  void give_way();
  Task<void> call_handler(Exchange&);
  Task<void> refuse(Error);
  Task<void> linger();

  HttpServerShared& shared_;
  StreamPtr stream_;
  ConnectionBook::Place* const place_;
  const std::optional<TlsInfo> tls_;
  InputBuffer input_;
  bool busy_ = false;
};

}  // namespace convoy::net
