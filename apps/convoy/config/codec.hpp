#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/log.hpp"
#include "config/document.hpp"
#include "config/types.hpp"

namespace convoy::config {

/// What is wrong with a value: "must be …", and what to do about it.
struct Problem {
  std::string what;
  std::string hint;
};

template <class T>
using Read = std::variant<T, Problem>;

/// How a type is written in TOML. `print` gives what `read` takes, "" for an empty value.
template <class T>
struct Codec;

#define CONVOY_CODEC(T)                 \
  template <>                           \
  struct Codec<T> {                     \
    static std::string_view name();     \
    static Read<T> read(const Node&);   \
    static std::string print(const T&); \
  }

CONVOY_CODEC(std::string);
CONVOY_CODEC(bool);
CONVOY_CODEC(std::uint64_t);
CONVOY_CODEC(std::chrono::milliseconds);
CONVOY_CODEC(ByteSize);
CONVOY_CODEC(Rate);
CONVOY_CODEC(Address);
CONVOY_CODEC(BaseUrl);
CONVOY_CODEC(HookUrl);
CONVOY_CODEC(Path);
CONVOY_CODEC(SecretSource);
CONVOY_CODEC(RegistryName);
CONVOY_CODEC(Name);
CONVOY_CODEC(bt::Zone);
CONVOY_CODEC(LogLevel);
CONVOY_CODEC(std::vector<std::string>);

#undef CONVOY_CODEC

}  // namespace convoy::config
