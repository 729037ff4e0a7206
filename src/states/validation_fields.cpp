#include <algorithm>
#include <array>

#include "states/validation.h"

namespace etl::states::validation {
namespace {

// How many letters have to be changed, added or taken away to make one name of the other.
size_t distance(std::string_view left, std::string_view right) {
  std::vector<size_t> row(right.size() + 1);
  for (size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(left[i - 1])) ==
                        std::tolower(static_cast<unsigned char>(right[j - 1]));
      const size_t changed = diagonal + (same ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

// The field that somebody who wrote `name` most likely meant.
std::string suggestion(std::string_view name, const std::vector<Fields>& tables) {
  constexpr size_t kLongestName = 40;
  constexpr size_t kMostMistakes = 2;
  if (name.size() > kLongestName) return "";
  const Field* best = nullptr;
  size_t least = kMostMistakes + 1;
  for (const Fields table : tables) {
    for (const Field& field : table) {
      const size_t mistakes = distance(name, field.name);
      if (mistakes >= least || mistakes * 2 >= field.name.size()) continue;
      least = mistakes;
      best = &field;
    }
  }
  return best ? "; did you mean " + in_quotes(best->name) + "?" : "";
}

bool speaks(Dialect dialect, QueryLanguage language) {
  switch (dialect) {
    case Dialect::kAny:
      return true;
    case Dialect::kJsonPath:
      return language == QueryLanguage::kJsonPath;
    case Dialect::kJsonata:
      return language == QueryLanguage::kJsonata;
  }
  return false;
}

const Field* find_field(std::string_view name, const std::vector<Fields>& tables) {
  for (const Fields table : tables) {
    for (const Field& field : table) {
      if (field.name == name) return &field;
    }
  }
  return nullptr;
}

void refuse_unknown(Context& context, std::string_view name, const Place& place, const std::string& owner,
                    const std::vector<Fields>& tables) {
  if (is_field_of_some_state(name)) {
    context.error(place, "FIELD_NOT_SUPPORTED", owner + " does not support the field " + in_quotes(name));
  } else {
    context.error(place, "UNKNOWN_FIELD", owner + " has no field " + in_quotes(name) + suggestion(name, tables));
  }
}

}  // namespace

bool check_object(Context& context, const Json& object, const Place& place, QueryLanguage language,
                  const std::string& owner, const std::vector<Fields>& tables) {
  if (!object.is_object()) {
    context.error(place, "WRONG_TYPE", owner + " must be an object");
    return false;
  }
  for (const auto& [name, value] : object.items()) {
    const Place here = place / name;
    const Field* field = find_field(name, tables);
    if (field == nullptr) {
      refuse_unknown(context, name, here, owner, tables);
    } else if (!speaks(field->dialect, language)) {
      const char* other = language == QueryLanguage::kJsonPath ? "JSONata" : "JSONPath";
      context.error(here, "FIELD_NOT_SUPPORTED",
                    "the field " + in_quotes(name) + " is of the query language " + other + ", which is not used here");
    } else {
      field->check(context, value, here, language);
    }
  }
  for (const Fields table : tables) {
    for (const Field& field : table) {
      if (!field.required || !speaks(field.dialect, language) || object.contains(field.name)) continue;
      context.error(place, "MISSING_FIELD", owner + " must have the field " + in_quotes(field.name));
    }
  }
  return true;
}

void check_exclusive(Context& context, const Json& object, const Place& place,
                     std::initializer_list<const char*> names) {
  const char* first = nullptr;
  for (const char* name : names) {
    if (!object.contains(name)) continue;
    if (first == nullptr) {
      first = name;
    } else {
      context.error(place / name, "CONFLICTING_FIELDS",
                    "only one of the fields " + in_quotes(first) + " and " + in_quotes(name) + " can be given");
    }
  }
}

}  // namespace etl::states::validation
