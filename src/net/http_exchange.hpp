#pragma once

#include <string>

#include "net/http_body.hpp"
#include "net/http_server.hpp"

namespace convoy::net {

/// Internal to net: what the connections of a server share.
struct HttpServerShared {
  HttpServerOptions options;
  HttpHandler handler;
  Logger log;
  Random& random;
  SystemClock clock;
  bool draining = false;
  UnixTime date_time{};
  std::string date_text;

  /// The value of the Date field, made once a second.
  const std::string& date();
  std::string new_request_id(const http::Headers&);
};

/// Internal to net: one request on one connection.
class Exchange final : public HttpExchange {
 public:
  /// Everything but the request must outlive it.
  Exchange(HttpServerShared&, StreamPtr& stream, const std::optional<TlsInfo>& tls,
           InputBuffer& input, ParsedRequest);

  const http::RequestHead& request() const override { return request_.head; }
  const Endpoint& remote() const override { return remote_; }
  const std::optional<TlsInfo>& tls() const override { return tls_; }
  const std::string& request_id() const override { return id_; }
  Task<Result<std::size_t>> read_body(MutableByteView) override;
  Task<Result<std::string>> read_all(std::size_t limit) override;
  std::optional<std::uint64_t> body_length() const override;
  Task<Status> respond(http::ResponseHead, std::string body) override;
  Task<Status> start(http::ResponseHead, std::optional<std::uint64_t> length) override;
  Task<Status> write(ByteView) override;
  Task<Status> send_file(int fd, std::uint64_t offset, std::uint64_t length) override;
  bool started() const override { return status_ != 0; }
  int status() const override { return status_; }
  std::uint64_t bytes_sent() const override { return sent_; }
  void cut() override { failed_ = true; }
  Task<Result<StreamPtr>> take_stream() override;

  /// After the handler: ends the message, or answers 500 when there is none.
  Task<void> finish();
  /// Whether the client got a whole answer.
  bool complete() const { return complete_; }
  /// Whether the client may still be sending its body.
  bool body_unread() const { return !body_.done(); }
  /// Whether another request may follow on this connection.
  bool reusable() const { return reusable_; }

 private:
  enum class Framing : std::uint8_t { none, length, chunked, until_close };

  Status begin(const http::ResponseHead&, std::optional<std::uint64_t> length);
  Framing choose_framing(int status, std::optional<std::uint64_t> length);
  bool must_close(const http::Headers&) const;
  Status may_send(std::uint64_t n);
  Task<Status> send(ByteView);
  Task<Status> send_piece(ByteView);
  Task<Status> flush_then_write(ByteView);
  Task<Status> flush();
  Task<Status> pass(std::uint64_t bytes);
  Task<Status> send_file_pieces(int fd, std::uint64_t offset, std::uint64_t length);
  Task<Status> copy_file(int fd, std::uint64_t offset, std::uint64_t length);
  Task<Status> ask_for_body();
  Task<bool> discard_body();
  std::size_t piece_limit() const;
  std::optional<std::uint64_t> body_length_given() const;

  HttpServerShared& shared_;
  StreamPtr& stream_;
  InputBuffer& input_;
  ParsedRequest request_;
  const Endpoint remote_;
  const std::optional<TlsInfo>& tls_;
  BodyReader body_;
  std::string id_;

  int status_ = 0;
  Framing framing_ = Framing::none;
  bool head_only_ = false;
  bool close_ = false;
  bool failed_ = false;  ///< the connection cannot be used any more
  bool complete_ = false;
  bool reusable_ = false;
  std::uint64_t length_ = 0;
  std::uint64_t sent_ = 0;
  std::string pending_;  ///< a head that waits to travel with the first bytes of the body
};

}  // namespace convoy::net
