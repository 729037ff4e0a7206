#include <algorithm>

#include "states/utf8.h"
#include "states/validation.h"

namespace etl::states::validation {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Beyond ASCII, what cannot be in a name: punctuation, symbols, blanks, private use. What is left are the letters,
// marks and digits of Unicode's identifiers, and what has no character yet.
constexpr Range kNotInNames[] = {
    {0x80, 0xA9},       {0xAB, 0xB4},       {0xB6, 0xB6},     {0xB8, 0xB9},     {0xBB, 0xBF},     {0xD7, 0xD7},
    {0xF7, 0xF7},       {0x2000, 0x203E},   {0x2041, 0x2053}, {0x2055, 0x2070}, {0x207A, 0x207E}, {0x20A0, 0x20CF},
    {0x2190, 0x2BFF},   {0x2E00, 0x2E7F},   {0x3000, 0x3004}, {0x3008, 0x3020}, {0xD800, 0xF8FF}, {0xFD3E, 0xFD4F},
    {0xFE10, 0xFE1F},   {0xFE30, 0xFE32},   {0xFE35, 0xFE4C}, {0xFE50, 0xFE6F}, {0xFEFF, 0xFEFF}, {0xFF01, 0xFF0F},
    {0xFF1A, 0xFF20},   {0xFF3B, 0xFF3E},   {0xFF40, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF},
    {0xE0000, 0xE00FF}, {0xF0000, 0x10FFFF}};

bool is_letter(uint32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return std::none_of(std::begin(kNotInNames), std::end(kNotInNames),
                      [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool is_identifier(std::string_view name) {
  if (name.empty() || !is_letter(take_character(&name))) return false;
  while (!name.empty()) {
    const uint32_t c = take_character(&name);
    if (!is_letter(c) && (c < '0' || c > '9')) return false;
  }
  return true;
}

// The variable that a field of Assign sets.
std::string_view variable_of(std::string_view field, QueryLanguage language) {
  if (language == QueryLanguage::kJsonPath && field.ends_with(".$")) field.remove_suffix(2);
  return field;
}

void check_name(Context& context, std::string_view name, const Place& place) {
  if (name == "states") {
    context.error(place, "INVALID_VARIABLE_NAME", "\"states\" is reserved, no variable can have that name");
  } else if (!is_identifier(name)) {
    context.error(place, "INVALID_VARIABLE_NAME",
                  "the name of a variable has letters, digits and underscores only, and does not begin with a digit");
  } else if (count_characters(name) > context.limits.name_length) {
    context.error(
        place, "INVALID_VARIABLE_NAME",
        "the name of a variable cannot have more than " + std::to_string(context.limits.name_length) + " characters");
  }
}

void check_scope(Context& context, std::string_view name, const Place& place) {
  for (const FlowSource* flow = context.flow->outer; flow != nullptr; flow = flow->outer) {
    if (!flow->variables.contains(name)) continue;
    context.error(
        place, "VARIABLE_OF_OUTER_SCOPE",
        "the variable " + in_quotes(name) + " is assigned outside of this state's branch, where it cannot be changed");
    return;
  }
}

void collect_from(const Json& object, QueryLanguage language, std::set<std::string_view>* variables) {
  if (!object.is_object()) return;
  const auto assign = object.find("Assign");
  if (assign == object.end() || !assign->is_object()) return;
  for (const auto& [field, value] : assign->items()) variables->insert(variable_of(field, language));
}

}  // namespace

void check_assign(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (!value.is_object()) {
    context.error(place, "WRONG_TYPE", "\"Assign\" must be an object");
    return;
  }
  for (const auto& [field, source] : value.items()) {
    const std::string_view name = variable_of(field, language);
    check_name(context, name, place / field);
    check_scope(context, name, place / field);
  }
  check_payload(context, value, place, language);
}

void collect_variables(const Context& context, FlowSource* flow) {
  const auto states = flow->source->find("States");
  for (const auto& [name, state] : states->items()) {
    if (!state.is_object()) continue;
    const QueryLanguage language = language_of(context, state);
    collect_from(state, language, &flow->variables);
    for (const char* list : {"Choices", "Catch"}) {
      const auto entries = state.find(list);
      if (entries == state.end() || !entries->is_array()) continue;
      for (const Json& entry : *entries) collect_from(entry, language, &flow->variables);
    }
  }
}

}  // namespace etl::states::validation
