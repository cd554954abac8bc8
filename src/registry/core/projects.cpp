#include "registry/core/projects.hpp"

#include <algorithm>

#include "security/identity/users.hpp"

namespace convoy::registry {

ProjectBook::Found ProjectBook::find(std::string_view repository) const {
  Found found;
  for (const auto& project : projects_) {
    if (project.name == "*") {
      if (found.project != nullptr) continue;
      found = {&project, std::string(repository.substr(0, repository.find('/')))};
      continue;
    }
    const bool covers = repository == project.name || (repository.starts_with(project.name) &&
                                                       repository[project.name.size()] == '/');
    const bool better = found.project == nullptr || found.project->name == "*" ||
                        project.name.size() > found.project->name.size();
    if (covers && better) found = {&project, project.name};
  }
  return found;
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
