#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/tcp.hpp"
#include "net/tls.hpp"
#include "support/swarm_world.hpp"
#include "wire/bt/message.hpp"

namespace convoy::test {

/// What a hand-made peer got out of an engine.
struct RawAnswer {
  bool connected = false;             ///< TLS came up
  bool resumed = false;               ///< from an earlier session
  bool closed = false;                ///< the engine ended it within the limit
  std::uint64_t payload = 0;          ///< bytes of blocks
  std::vector<bt::Message> messages;  ///< after the 68 bytes, without blocks' data
  std::string error;                  ///< code of the TLS failure
};

struct RawOptions {
  std::optional<net::TlsIdentity> identity;
  std::string roots_pem;
  std::string sni;
  Bytes bytes;                         ///< written at once after TLS
  Bytes later;                         ///< written after the first answer
  std::function<bool()> later_when{};  ///< and not before this; null: at once
  Duration limit = std::chrono::seconds(3);
  std::uint64_t stop_at = 0;  ///< stop when that much payload came, 0: read to the end
  std::shared_ptr<net::TlsClientContext> context{};  ///< one that was used before; null: a new one

  std::shared_ptr<net::TlsClientContext> new_context() const {
    net::TlsClientOptions tls;
    tls.identity = identity;
    tls.roots_pem = roots_pem;
    tls.verify_name = false;
    return *net::TlsClientContext::make(std::move(tls));
  }
};

/// Speaks TLS with an engine and sends it any bytes.
class RawPeer {
 public:
  static net::Task<RawAnswer> talk(net::Executor executor, std::uint16_t port, RawOptions o) {
    RawAnswer answer;
    auto plain = co_await net::tcp_connect(executor, "127.0.0.1", port, std::chrono::seconds(2));
    if (!plain) {
      answer.error = plain.error().code();
      co_return answer;
    }
    if (o.context == nullptr) o.context = o.new_context();
    auto stream = co_await net::tls_connect(*std::move(plain), o.context, o.sni, o.limit);
    if (!stream) {
      answer.error = stream.error().code();
      answer.closed = true;
      co_return answer;
    }
    answer.connected = true;
    answer.resumed = (*stream)->tls()->resumed;
    (*stream)->set_idle_timeout(o.limit);
    if (!o.bytes.empty()) {
      const Status sent = co_await (*stream)->write(o.bytes);
      if (!sent) answer.error = sent.error().code();
    }
    Bytes in;
    bool said_later = o.later.empty();
    for (;;) {
      Bytes part(64 * 1024);
      const auto n = co_await (*stream)->read_some(part);
      if (!n || *n == 0) {
        answer.closed = !n ? n.error().code() != "stream_idle" : true;
        if (!n) answer.error = n.error().code();
        break;
      }
      in.insert(in.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*n));
      if (!said_later) {
        said_later = true;
        while (o.later_when && !o.later_when()) {
          co_await net::sleep_for(std::chrono::milliseconds(1));
        }
        const Status sent = co_await (*stream)->write(o.later);
        if (!sent) answer.error = sent.error().code();
      }
      answer.payload = 0;
      if (o.stop_at > 0 && parse(in, answer) >= o.stop_at) break;
    }
    answer.payload = parse(in, answer);
    co_return answer;
  }

 private:
  static std::uint64_t parse(const Bytes& in, RawAnswer& answer) {
    std::uint64_t payload = 0;
    answer.messages.clear();
    std::size_t at = bt::kHandshakeSize;
    while (at < in.size()) {
      const auto m = bt::decode_message(ByteView(in).subspan(at));
      if (!m || !m->message) break;
      if (const auto* b = std::get_if<bt::PieceBlock>(&*m->message)) payload += b->data.size();
      answer.messages.push_back(*m->message);
      at += m->consumed;
    }
    return payload;
  }
};

/// The bytes a peer says first: handshake and extension handshake with this ticket.
inline Bytes greeting(const bt::InfoHash& info_hash, std::optional<std::string> ticket,
                      bool extended = true) {
  bt::Handshake h;
  std::copy_n(info_hash.begin(), h.info_hash.size(), h.info_hash.begin());
  h.peer_id.fill('x');
  h.extended = extended;
  Bytes out = bt::encode(h);
  if (!ticket) return out;
  bt::ExtensionHandshake e;
  e.ids["cv_ticket"] = 7;
  e.ticket = *ticket;
  const Bytes payload = bt::encode(e);
  bt::encode(bt::Extended{0, payload}, out);
  return out;
}

inline Bytes encoded(const std::vector<bt::Message>& messages) {
  Bytes out;
  for (const auto& m : messages) bt::encode(m, out);
  return out;
}

}  // namespace convoy::test
