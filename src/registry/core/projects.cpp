#include "registry/core/projects.hpp"

#include <algorithm>

#include "security/identity/users.hpp"

namespace convoy::registry {
namespace {

bool is_below(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && name.starts_with(prefix) && name[prefix.size()] == '/';
}

}  // namespace

ProjectBook::Found ProjectBook::find(std::string_view repository) const {
  Found found;
  for (const auto& project : projects_) {
    if (project.name == "*") {
      if (found.project != nullptr) continue;
      found = {&project, std::string(repository.substr(0, repository.find('/')))};
      continue;
    }
    const bool covers = repository == project.name || is_below(repository, project.name);
    const bool better = found.project == nullptr || found.project->name == "*" ||
                        project.name.size() > found.project->name.size();
    if (covers && better) found = {&project, project.name};
  }
  return found;
}

std::vector<std::string> ProjectBook::inner(std::string_view prefix) const {
  std::vector<std::string> names;
  for (const auto& project : projects_) {
    if (is_below(project.name, prefix)) names.push_back(project.name);
  }
  return names;
}

bool ProjectBook::immutable(std::string_view repository, std::string_view tag) const {
  const auto found = find(repository);
  if (found.project == nullptr) return false;
  const auto& patterns = found.project->immutable_tags;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return security::matches_glob(pattern, tag);
  });
}

}  // namespace convoy::registry
