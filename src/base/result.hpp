#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace convoy {

/// What kind of failure it is: the only thing a caller may decide on.
enum class ErrorClass : std::uint8_t {
  invalid,       ///< the input breaks a rule; repeating it cannot help
  unauthorized,  ///< no credential, or one that does not verify
  denied,        ///< a valid identity that may not do this
  not_found,
  conflict,     ///< the state forbids it (exists already, out of order)
  too_large,    ///< a limit was passed
  exhausted,    ///< a quota, rate or resource limit; may work later
  unavailable,  ///< the other side is not reachable, or broke off
  timeout,
  cancelled,
  corrupt,   ///< bytes do not match what was signed or recorded
  internal,  ///< our own fault
};

std::string_view to_string(ErrorClass);

/// A failure. `code` names the rule in snake_case and is stable ("ticket_expired");
/// `detail` is for the operator's log and never leaves the host unless an edge
/// decides that it is harmless. Neither ever holds a secret.
class [[nodiscard]] Error {
 public:
  Error(ErrorClass kind, std::string code, std::string detail = {})
      : kind_(kind), code_(std::move(code)), detail_(std::move(detail)) {}

  ErrorClass kind() const { return kind_; }
  const std::string& code() const { return code_; }
  const std::string& detail() const { return detail_; }
  /// "code: detail", or the code alone.
  std::string text() const;
  /// The same error with `context` put before the detail.
  Error with(std::string_view context) &&;

 private:
  ErrorClass kind_;
  std::string code_;
  std::string detail_;
};

/// A value or an Error. Reading the wrong one ends the process in every build.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <class U>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *check(std::get_if<0>(&state_)); }
  const T& value() const& { return *check(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(*check(std::get_if<0>(&state_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) const& { return ok() ? value() : std::move(other); }

  const Error& error() const& { return *check(std::get_if<1>(&state_)); }
  Error&& error() && { return std::move(*check(std::get_if<1>(&state_))); }

 private:
  template <class P>
  static P check(P p) {
    if (p == nullptr) __builtin_trap();
    return p;
  }
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    if (!error_) __builtin_trap();
    return *error_;
  }
  Error&& error() && {
    if (!error_) __builtin_trap();
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

// One short maker for each class, so that a refusal reads as one line where it happens.
inline Error invalid(std::string code, std::string detail = {}) {
  return {ErrorClass::invalid, std::move(code), std::move(detail)};
}
inline Error unauthorized(std::string code, std::string detail = {}) {
  return {ErrorClass::unauthorized, std::move(code), std::move(detail)};
}
inline Error denied(std::string code, std::string detail = {}) {
  return {ErrorClass::denied, std::move(code), std::move(detail)};
}
inline Error not_found(std::string code, std::string detail = {}) {
  return {ErrorClass::not_found, std::move(code), std::move(detail)};
}
inline Error conflict(std::string code, std::string detail = {}) {
  return {ErrorClass::conflict, std::move(code), std::move(detail)};
}
inline Error too_large(std::string code, std::string detail = {}) {
  return {ErrorClass::too_large, std::move(code), std::move(detail)};
}
inline Error exhausted(std::string code, std::string detail = {}) {
  return {ErrorClass::exhausted, std::move(code), std::move(detail)};
}
inline Error unavailable(std::string code, std::string detail = {}) {
  return {ErrorClass::unavailable, std::move(code), std::move(detail)};
}
inline Error timed_out(std::string code, std::string detail = {}) {
  return {ErrorClass::timeout, std::move(code), std::move(detail)};
}
inline Error cancelled(std::string code = "cancelled", std::string detail = {}) {
  return {ErrorClass::cancelled, std::move(code), std::move(detail)};
}
inline Error corrupt(std::string code, std::string detail = {}) {
  return {ErrorClass::corrupt, std::move(code), std::move(detail)};
}
inline Error internal_error(std::string code, std::string detail = {}) {
  return {ErrorClass::internal, std::move(code), std::move(detail)};
}

}  // namespace convoy
