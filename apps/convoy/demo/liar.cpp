#include "demo/liar.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <mutex>

#include "net/task_group.hpp"
#include "net/tcp.hpp"
#include "net/tls.hpp"
#include "wire/bt/message.hpp"

namespace convoy::demo {
namespace {
constexpr auto kPatience = std::chrono::seconds(10);
}

struct Liar::Impl {
  net::asio::io_context loop{1};
  net::asio::executor_work_guard<net::asio::io_context::executor_type> work{loop.get_executor()};
  net::TaskGroup tasks{loop.get_executor()};
  std::shared_ptr<net::TlsServerContext> tls;
  std::unique_ptr<net::Listener> listener;
  std::mutex mutex;
  std::string ticket;
  bt::InfoHash info_hash{};
  std::atomic<std::uint64_t> blocks{0}, received{0};
  std::thread thread;

  net::Task<void> accept_all();
  net::Task<void> talk(net::StreamPtr plain);
  Bytes hello();
  void answer(const bt::Message&, Bytes& out, bool& greeted);
};

Bytes Liar::Impl::hello() {
  const std::lock_guard lock(mutex);
  bt::Handshake handshake;
  std::copy_n(info_hash.begin(), handshake.info_hash.size(), handshake.info_hash.begin());
  handshake.peer_id.fill('l');
  Bytes out = bt::encode(handshake);
  bt::ExtensionHandshake extension;
  extension.ids = {{std::string(bt::kExtTicket), 1}};
  extension.ticket = ticket;
  const Bytes body = bt::encode(extension);
  bt::encode(bt::Message(bt::Extended{0, body}), out);
  return out;
}

void Liar::Impl::answer(const bt::Message& message, Bytes& out, bool& greeted) {
  if (std::holds_alternative<bt::Extended>(message) && !greeted) {
    greeted = true;
    bt::encode(bt::Message(bt::HaveAll{}), out);
    bt::encode(bt::Message(bt::Unchoke{}), out);
  } else if (const auto* request = std::get_if<bt::RequestBlock>(&message)) {
    const Bytes wrong(request->block.length, 0x5a);
    bt::encode(bt::Message(bt::PieceBlock{request->block.piece, request->block.begin, wrong}), out);
    ++blocks;
  } else if (const auto* hashes = std::get_if<bt::HashRequest>(&message)) {
    bt::encode(bt::Message(bt::HashReject{hashes->span}), out);
  } else if (const auto* piece = std::get_if<bt::PieceBlock>(&message)) {
    received += piece->data.size();
  }
}

net::Task<void> Liar::Impl::talk(net::StreamPtr plain) {
  auto accepted = co_await net::tls_accept(std::move(plain), tls, kPatience);
  if (!accepted) co_return;
  net::StreamPtr stream = std::move(*accepted);
  const Bytes opening = hello();
  if (const Status sent = co_await stream->write(opening); !sent) co_return;
  Bytes in, chunk(64 * 1024);
  std::size_t handshake = bt::kHandshakeSize;
  bool greeted = false;
  for (;;) {
    auto n = co_await stream->read_some(chunk);
    if (!n || *n == 0) co_return;
    const std::size_t skip = std::min(handshake, *n);
    handshake -= skip;
    in.insert(in.end(), chunk.begin() + static_cast<std::ptrdiff_t>(skip),
              chunk.begin() + static_cast<std::ptrdiff_t>(*n));
    Bytes out;
    for (;;) {
      auto decoded = bt::decode_message(in);
      if (!decoded) co_return;
      if (!decoded->message) break;
      answer(*decoded->message, out, greeted);
      in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(decoded->consumed));
    }
    if (const Status sent = co_await stream->write(out); !sent) co_return;
  }
}

net::Task<void> Liar::Impl::accept_all() {
  for (;;) {
    auto stream = co_await listener->accept();
    if (!stream) co_return;
    auto shared = std::make_shared<net::StreamPtr>(std::move(*stream));
    tasks.spawn([this, shared] { return talk(std::move(*shared)); });
  }
}

Result<std::unique_ptr<Liar>> Liar::listen(const Member& member) {
  auto impl = std::make_unique<Impl>();
  net::TlsServerOptions options;
  options.identity = member.identity;
  options.client_certificate = net::PeerCertificate::required;
  options.client_roots_pem = member.root_pem;
  auto tls = net::TlsServerContext::make(std::move(options));
  if (!tls) return std::move(tls).error();
  impl->tls = *tls;
  auto listener = net::Listener::open(impl->loop.get_executor(), {"127.0.0.1", 0});
  if (!listener) return std::move(listener).error();
  impl->listener = std::move(*listener);
  return std::unique_ptr<Liar>(new Liar(std::move(impl)));
}

Liar::Liar(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

void Liar::serve(std::string ticket, bt::InfoHash info_hash) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ticket = std::move(ticket);
    impl_->info_hash = info_hash;
  }
  if (impl_->thread.joinable()) return;
  Impl* impl = impl_.get();
  impl->tasks.spawn([impl] { return impl->accept_all(); });
  impl->thread = std::thread([impl] { impl->loop.run(); });
}

Liar::~Liar() {
  Impl* impl = impl_.get();
  if (!impl->thread.joinable()) return;
  net::TaskGroup ending(impl->loop.get_executor());
  net::asio::post(impl->loop, [impl, &ending] {
    impl->listener->close();
    ending.spawn([impl] { return impl->tasks.stop(); });
    impl->work.reset();
  });
  impl->thread.join();
}

std::uint16_t Liar::port() const { return impl_->listener->local().port; }
std::uint64_t Liar::blocks_sent() const { return impl_->blocks; }
std::uint64_t Liar::payload_received() const { return impl_->received; }

}  // namespace convoy::demo
