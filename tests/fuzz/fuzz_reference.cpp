#include "fuzz/fuzz.hpp"
#include "wire/oci/reference.hpp"

using namespace convoy;

// Each of these has one spelling only, and none may reach a path.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text(data, size);
  const auto harmless = [](std::string_view s) {
    return s.find("..") == std::string_view::npos && s.find('\0') == std::string_view::npos &&
           s.find("//") == std::string_view::npos && !s.starts_with('/');
  };
  if (const auto digest = oci::Digest::parse(text)) fuzz::check(digest->str() == text);
  if (const auto name = oci::RepoName::parse(text)) {
    fuzz::check(name->str() == text && harmless(text));
  }
  if (const auto reference = oci::parse_reference(text)) {
    fuzz::check(oci::to_string(*reference) == text && text.find('/') == std::string_view::npos &&
                text != "." && text != "..");
  }
  if (const auto host = oci::RegistryHost::parse(text)) {
    fuzz::check(host->str() == text && harmless(text) && host->port() != 0 &&
                !host->host().empty());
  }
  return 0;
}
