#include "base/result.hpp"

namespace convoy {

std::string_view to_string(ErrorClass kind) {
  switch (kind) {
    case ErrorClass::invalid:
      return "invalid";
    case ErrorClass::unauthorized:
      return "unauthorized";
    case ErrorClass::denied:
      return "denied";
    case ErrorClass::not_found:
      return "not_found";
    case ErrorClass::conflict:
      return "conflict";
    case ErrorClass::too_large:
      return "too_large";
    case ErrorClass::exhausted:
      return "exhausted";
    case ErrorClass::unavailable:
      return "unavailable";
    case ErrorClass::timeout:
      return "timeout";
    case ErrorClass::cancelled:
      return "cancelled";
    case ErrorClass::corrupt:
      return "corrupt";
    case ErrorClass::internal:
      return "internal";
  }
  return "internal";
}

std::string Error::text() const { return detail_.empty() ? code_ : code_ + ": " + detail_; }

Error Error::with(std::string_view context) && {
  detail_ = detail_.empty() ? std::string(context) : std::string(context) + ": " + detail_;
  return std::move(*this);
}

}  // namespace convoy
