#include "demo/raw_peer.hpp"

#include <algorithm>

#include "net/tcp.hpp"
#include "wire/bt/message.hpp"

namespace convoy::demo {
namespace {

constexpr auto kPatience = std::chrono::seconds(8);
constexpr std::uint32_t kBlocksAsked = 8;

Bytes opening(const Approach& a) {
  bt::Handshake hello;
  std::copy_n(a.info_hash.begin(), hello.info_hash.size(), hello.info_hash.begin());
  hello.peer_id.fill('x');
  Bytes out = bt::encode(hello);
  bt::ExtensionHandshake extension;
  extension.ids = {{std::string(bt::kExtTicket), 1}};
  extension.client = "intruder";
  extension.ticket = a.ticket;
  const Bytes body = bt::encode(extension);
  bt::encode(bt::Message(bt::Extended{0, body}), out);
  bt::encode(bt::Message(bt::Interested{}), out);
  for (std::uint32_t block = 0; block < kBlocksAsked; ++block) {
    const bt::BlockRef ref{0, block * bt::kBlockSize, bt::kBlockSize};
    bt::encode(bt::Message(bt::RequestBlock{ref}), out);
  }
  return out;
}

/// Takes whole messages off the front of `buffer`; false when what is there is no message.
bool count_payload(Bytes& buffer, std::uint64_t& payload) {
  for (;;) {
    auto decoded = bt::decode_message(buffer);
    if (!decoded) return false;
    if (!decoded->message) return true;
    if (const auto* piece = std::get_if<bt::PieceBlock>(&*decoded->message)) {
      payload += piece->data.size();
    }
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(decoded->consumed));
  }
}

net::Task<Result<net::StreamPtr>> dial(net::Executor executor, Approach a) {
  auto stream = co_await net::tcp_connect(executor, a.target.ip, a.target.port, kPatience);
  if (!stream || !a.tls) co_return stream;
  net::TlsClientOptions options;
  options.identity = a.identity;
  options.verify_name = false;
  options.roots_pem = a.roots_pem;
  auto context = net::TlsClientContext::make(std::move(options));
  if (!context) co_return std::move(context).error();
  co_return co_await net::tls_connect(std::move(*stream), *context, bt::short_hex(a.info_hash),
                                      kPatience);
}

}  // namespace

net::Task<ApproachResult> approach(net::Executor executor, Approach a) {
  ApproachResult result;
  auto stream = co_await dial(executor, a);
  if (!stream) {
    result.end = stream.error().code();
    co_return result;
  }
  (*stream)->set_idle_timeout(kPatience);
  const Bytes hello = opening(a);
  // A refused write shows in the read below, with whatever came before it.
  const Status written = co_await (*stream)->write(hello);
  (void)written;
  Bytes buffer, chunk(64 * 1024);
  std::size_t handshake = bt::kHandshakeSize;
  for (;;) {
    auto n = co_await (*stream)->read_some(chunk);
    if (!n || *n == 0) {
      result.end = n ? "closed" : n.error().code();
      break;
    }
    const std::size_t skip = std::min(handshake, *n);
    handshake -= skip;
    buffer.insert(buffer.end(), chunk.begin() + static_cast<std::ptrdiff_t>(skip),
                  chunk.begin() + static_cast<std::ptrdiff_t>(*n));
    if (!count_payload(buffer, result.payload_bytes)) {
      result.end = "nonsense";
      break;
    }
  }
  (*stream)->abort();
  co_return result;
}

}  // namespace convoy::demo
