#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "demo/member.hpp"
#include "net/stream.hpp"
#include "wire/bt/metadata.hpp"

namespace convoy::demo {

/// A node with a good certificate and a good ticket that offers every piece and sends wrong
/// bytes. Runs on a thread of its own until it dies.
class Liar {
 public:
  /// Listens where the tracker will send others: on the address its own calls leave from.
  static Result<std::unique_ptr<Liar>> listen(const Member&);
  ~Liar();
  std::uint16_t port() const;
  /// What to show and to lie about, from now on.
  void serve(std::string ticket, bt::InfoHash info_hash);
  std::uint64_t blocks_sent() const;
  /// Payload that other peers gave to it.
  std::uint64_t payload_received() const;

 private:
  struct Impl;
  explicit Liar(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::demo
