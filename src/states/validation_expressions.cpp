#include <cctype>

#include "states/jsonata.h"
#include "states/validation.h"

namespace etl::states::validation {
namespace {

constexpr size_t kMostExpressions = 10'000;  // of JSONata, in one definition

// An expression with blanks for its strings, quoted names and comments.
std::string without_texts(std::string_view expression) {
  std::string plain(expression);
  for (size_t i = 0; i < plain.size(); ++i) {
    const bool is_comment = plain.compare(i, 2, "/*") == 0;
    if (!is_comment && std::string_view("'\"`").find(plain[i]) == std::string_view::npos) continue;
    const size_t first = i;
    if (is_comment) {
      i = std::min(plain.find("*/", i + 2), plain.size() - 2) + 1;
    } else {
      for (++i; i < plain.size() && plain[i] != plain[first];) i += plain[i] == '\\' ? 2 : 1;
    }
    for (size_t hidden = first; hidden < plain.size() && hidden <= i; ++hidden) plain[hidden] = ' ';
  }
  return plain;
}

// Whether it reads a field of $states.
bool reads_of_states(std::string_view plain, std::string_view field) {
  constexpr std::string_view kStates = "$states";
  const auto skip_blanks = [&](size_t at) { return std::min(plain.find_first_not_of(" \t\r\n", at), plain.size()); };
  for (size_t at = plain.find(kStates); at != std::string_view::npos; at = plain.find(kStates, at + 1)) {
    const size_t dot = skip_blanks(at + kStates.size());
    if (plain.substr(dot, 1) != ".") continue;
    const size_t name = skip_blanks(dot + 1);
    const size_t end = name + field.size();
    if (plain.substr(name, field.size()) != field) continue;
    if (end == plain.size() || (std::isalnum(static_cast<unsigned char>(plain[end])) == 0 && plain[end] != '_'))
      return true;
  }
  return false;
}

// $states.result and $states.errorOutput are not there in each field.
void check_use_of_states(Context& context, const std::string& expression, const Place& place) {
  if (context.flow == nullptr || expression.find("$states") == std::string::npos) return;
  const auto keys = place.keys_below(context.flow->states);  // name of a state, field of the state, ...
  if (keys.size() < 2) return;
  const std::string_view type = text_of(context.flow->source->at("States").at(keys[0]), "Type");
  const auto is_output = [&](size_t key) {
    return keys.size() > key && (keys[key] == "Output" || keys[key] == "Assign");
  };
  const bool has_result = is_output(1) && (type == "Task" || type == "Map" || type == "Parallel");
  const bool has_error = keys[1] == "Catch" && is_output(3);
  const std::string plain = without_texts(expression);
  if (!has_result && reads_of_states(plain, "result"))
    context.warn(place, "NOT_IN_STATES",
                 "$states.result is there only in \"Output\" and \"Assign\" of Task, Map and Parallel states");
  if (!has_error && reads_of_states(plain, "errorOutput"))
    context.warn(place, "NOT_IN_STATES", "$states.errorOutput is there only in \"Output\" and \"Assign\" of a Catcher");
}

// Whether a text that is none was meant to be one, or to have one in it.
bool looks_like_expression(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  if (first == std::string::npos) return false;
  return text.compare(first, 2, "{%") == 0 || std::string_view(text).substr(0, last + 1).ends_with("%}") ||
         (text.find("{%") != std::string::npos && text.find("%}") != std::string::npos);
}

}  // namespace

void check_expression(Context& context, const std::string& expression, const Place& place) {
  check_use_of_states(context, expression, place);
  if (context.expressions.contains(expression)) return;
  if (context.expressions.size() == kMostExpressions) {
    context.error(place, "LIMIT_EXCEEDED", "the definition has more than 10000 different expressions");
    return;
  }
  context.expressions.insert(expression);
  try {
    context.jsonata.check(expression);
  } catch (const JsonataError& error) {
    context.error(place, "INVALID_JSONATA", in_quotes(expression) + " is not a JSONata expression: " + error.what());
  }
}

void check_text_with_expression(Context& context, const std::string& text, const Place& place) {
  if (const auto expression = jsonata_expression(text)) {
    check_expression(context, *expression, place);
  } else if (looks_like_expression(text)) {
    context.warn(place, "PARTIAL_EXPRESSION",
                 "a JSONata expression must be the whole string, from {% to %} without blanks around it; " +
                     in_quotes(text) + " stays as it is");
  }
}

void check_expressions(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (value.is_string()) return check_text_with_expression(context, value.get_ref<const std::string&>(), place);
  if (value.is_object()) {
    for (const auto& [name, part] : value.items()) check_expressions(context, part, place / name, language);
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) check_expressions(context, value[i], place / i, language);
  }
}

}  // namespace etl::states::validation
