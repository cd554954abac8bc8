#pragma once

#include <string>

#include "config/schema.hpp"

namespace convoy::config {

/// The Markdown reference of one role's file, made from the declaration that reads it.
/// `role` is "registry"; headings start at level 2.
std::string reference(const Table& root, const std::string& role);

/// The whole of docs/operations/configuration.md.
std::string reference_page();

}  // namespace convoy::config
