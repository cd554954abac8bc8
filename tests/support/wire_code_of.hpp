#pragma once

#include <string>

#include "base/result.hpp"

namespace convoy::test {

/// The code of the refusal, or "" for success: lets one EXPECT_EQ say both.
template <class T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? std::string() : result.error().code();
}

}  // namespace convoy::test
