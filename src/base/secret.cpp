#include "base/secret.hpp"

#include <cstring>

namespace convoy {

void Secret::wipe() noexcept {
  // capacity, not size: what a shorter value left behind is as secret as the value.
  text_.resize(text_.capacity());
  ::explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

}  // namespace convoy
