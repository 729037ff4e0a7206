#include "states/fence.h"

#include "states/path.h"

#include <algorithm>

#include "states/path_evaluator.h"

namespace etl::states {
namespace {

// Whether the steps lead to a place of `target`, or to one that can be made.
bool can_put(const PathSyntax& path, const Json& target) {
  const Json* place = &target;  // null: to be made, as an object
  for (const PathStep& step : path.steps) {
    if (const auto* name = std::get_if<NameStep>(&step)) {
      if (place != nullptr && !place->is_object()) return false;
      const bool there = place != nullptr && place->contains(name->names[0]);
      place = there ? &(*place)[name->names[0]] : nullptr;
    } else {
      const int64_t index = std::get<IndexStep>(step).indexes[0];
      if (place == nullptr || !place->is_array() || index >= static_cast<int64_t>(place->size())) return false;
      place = &(*place)[static_cast<size_t>(index)];
    }
  }
  return true;
}

}  // namespace

Path Path::parse(std::string_view text) {
  return Path(parse_path(text));
}

const std::string& Path::text() const {
  return syntax_->text;
}

Path::Root Path::root() const {
  return syntax_->root;
}

const std::string& Path::variable() const {
  return syntax_->variable;
}

bool Path::is_definite() const {
  return syntax_->is_definite();
}

bool Path::is_reference() const {
  return std::all_of(syntax_->steps.begin(), syntax_->steps.end(), [](const PathStep& step) {
    if (const auto* name = std::get_if<NameStep>(&step)) return name->names.size() == 1;
    const auto* index = std::get_if<IndexStep>(&step);
    return index != nullptr && index->indexes.size() == 1 && index->indexes[0] >= 0;
  });
}

Path::Match Path::match(const Scope& scope) const {
  if (root() != Root::kVariable)
    return PathEvaluator(*syntax_, root() == Root::kInput ? scope.input : scope.context).match();
  const auto variable = scope.variables.find(syntax_->variable);
  if (variable != scope.variables.end()) return PathEvaluator(*syntax_, *variable).match();
  Match missing;
  missing.reason = "Variable '" + syntax_->variable + "' is not defined";
  return missing;
}

Json Path::evaluate(const Scope& scope) const {
  Match found = match(scope);
  if (found.kind == Match::Kind::kFound) return std::move(found.value);
  throw StateError(errors::kRuntime, "Invalid path '" + text() + "' : " + found.reason);
}

std::optional<Json> Path::find(const Scope& scope) const {
  Match found = match(scope);
  if (found.kind != Match::Kind::kFound) return std::nullopt;
  return std::move(found.value);
}

Json Path::put(Json target, Json value) const {
  if (root() != Root::kInput || !is_reference()) throw std::logic_error("not a path that can be written to: " + text());
  if (!can_put(*syntax_, target)) {
    throw StateError(errors::kResultPathMatchFailure,
                     "Unable to apply ReferencePath " + text() + " to input " + shown(target));
  }
  Json* place = &target;
  for (const PathStep& step : syntax_->steps) {
    if (const auto* name = std::get_if<NameStep>(&step)) {
      place = &(*place)[name->names[0]];  // makes an object of a null: only those are null that it has just made
    } else {
      place = &(*place)[static_cast<size_t>(std::get<IndexStep>(step).indexes[0])];
    }
  }
  *place = std::move(value);
  return target;
}

}  // namespace etl::states
