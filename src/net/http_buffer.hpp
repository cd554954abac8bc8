#pragma once

#include <algorithm>
#include <cstddef>

#include "base/bytes.hpp"

namespace convoy::net {

/// Internal to net: bytes read from a connection and not used yet.
class InputBuffer {
 public:
  ByteView view() const { return ByteView(bytes_).subspan(begin_, end_ - begin_); }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Room for `n` more bytes, to be followed by commit() of those that came.
  MutableByteView prepare(std::size_t n) {
    if (bytes_.size() - end_ < n && begin_ > 0) {
      std::copy(bytes_.begin() + offset(begin_), bytes_.begin() + offset(end_), bytes_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    if (bytes_.size() - end_ < n) bytes_.resize(end_ + n);
    return MutableByteView(bytes_).subspan(end_, n);
  }
  void commit(std::size_t n) { end_ += n; }
  /// Gives memory back when nothing is held: an idle connection should cost little.
  void shrink(std::size_t keep) {
    if (!empty() || bytes_.size() <= keep) return;
    bytes_.resize(keep);
    bytes_.shrink_to_fit();
  }

 private:
  static std::ptrdiff_t offset(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }
  Bytes bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace convoy::net
