#pragma once

#include <string>

#include "cli/pki_folder.hpp"

// The configurations that create_pki_folder() puts beside the keys: complete, with relative paths.
namespace convoy::cli {

std::string starter_registry_config(const PkiPlan&);
std::string starter_tracker_config(const PkiPlan&);
std::string starter_agent_config(const PkiPlan&);

}  // namespace convoy::cli
