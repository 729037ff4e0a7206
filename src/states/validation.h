// What the checks of a definition share: where they are, and what they found.
//
//   validate.cpp               the whole: limits, the machine's own fields, each flow
//   validation.cpp             places and findings
//   validation_values.cpp      single values: paths, templates, numbers, times
//   validation_expressions.cpp JSONata
//   validation_fields.cpp      which fields an object may have
//   validation_states.cpp      the fields of each type of state
//   validation_errors.cpp      Retry and Catch
//   validation_choices.cpp     Choice rules
//   validation_map.cpp         what only a Map has
//   validation_graph.cpp       transitions: their targets, reachability, ends
//   validation_variables.cpp   names of variables, and their scopes
#pragma once

#include <set>
#include <span>

#include "states/definition.h"
#include "states/validate.h"

namespace etl::states::validation {

// A place in the definition. It lives on the stack of whoever looks at it, or with a Flow; its pointer is written out
// for a finding only, so that long names within long names cost nothing.
class Place {
 public:
  Place() = default;  // the definition itself
  Place(const Place* up, std::string_view key) : up_(up), key_(key) {}
  Place(const Place* up, size_t index) : up_(up), index_(index), is_index_(true) {}

  Place operator/(std::string_view key) const { return Place(this, key); }
  Place operator/(size_t index) const { return Place(this, index); }

  std::string pointer() const;
  std::string_view key() const { return key_; }
  // From the place below `above` to this one, indexes as empty keys; none if `above` is not above it.
  std::vector<std::string_view> keys_below(const Place& above) const;

 private:
  const Place* up_ = nullptr;
  std::string_view key_;
  size_t index_ = 0;
  bool is_index_ = false;
};

// A flow as it was found, before anything is known to be right in it. It never moves: places point to each other.
struct FlowSource {
  const Json* source = nullptr;
  const FlowSource* outer = nullptr;  // the flow around it
  size_t level = 1;                   // how many flows around each other it is in, with itself
  bool is_processor = false;          // of a Map

  Place holder;  // the state that has it
  Place list;    // the Branches of that state
  Place place;
  Place states;                          // its field States
  std::set<std::string_view> variables;  // that its states assign
};

struct Context {
  Context(JsonataEngine& jsonata, const Resources* resources, const ValidationLimits& limits)
      : jsonata(jsonata), resources(resources), limits(limits) {}

  JsonataEngine& jsonata;
  const Resources* resources;
  const ValidationLimits& limits;

  QueryLanguage language = QueryLanguage::kJsonPath;     // of the machine
  const FlowSource* flow = nullptr;                      // that is being looked at
  std::map<std::string_view, const FlowSource*> owners;  // by name of a state: the first flow that has it
  std::set<std::string, std::less<>> expressions;        // of JSONata, that were checked

  void error(const Place& place, const char* code, std::string message);
  void warn(const Place& place, const char* code, std::string message);

  bool has_errors() const { return !errors_.empty(); }
  std::vector<Finding> findings() &&;  // in the order of their pointers, not more than there may be

 private:
  void add(Severity severity, const Place& place, const char* code, std::string message);

  std::vector<Finding> errors_;
  std::vector<Finding> warnings_;
  size_t left_out_errors_ = 0;
  size_t left_out_warnings_ = 0;
};

// "text" in double quotes, cut where it is long.
std::string in_quotes(std::string_view text);

// The value of an object's field that is a string; empty if there is none.
std::string_view text_of(const Json& object, const char* field);

// ---- fields

using Check = void (*)(Context&, const Json& value, const Place& place, QueryLanguage language);
enum class Dialect { kAny, kJsonPath, kJsonata };

struct Field {
  std::string_view name;
  Check check;
  Dialect dialect = Dialect::kAny;
  bool required = false;
};
using Fields = std::span<const Field>;

// Whether it is an object; if so each of its fields is checked, unknown and missing ones are found. `owner` is what has
// them, such as: a Pass state.
bool check_object(Context& context, const Json& object, const Place& place, QueryLanguage language,
                  const std::string& owner, const std::vector<Fields>& tables);

// Whether at most one of them is there.
void check_exclusive(Context& context, const Json& object, const Place& place,
                     std::initializer_list<const char*> names);

// Fields of the types of states, for messages about those that others have.
bool is_field_of_some_state(std::string_view name);

// ---- values

void check_anything(Context&, const Json&, const Place&, QueryLanguage);
void check_text(Context&, const Json&, const Place&, QueryLanguage);
void check_boolean(Context&, const Json&, const Place&, QueryLanguage);
void check_query_language(Context&, const Json&, const Place&, QueryLanguage);
void check_path(Context&, const Json&, const Place&, QueryLanguage);
void check_path_or_null(Context&, const Json&, const Place&, QueryLanguage);
void check_reference_path(Context&, const Json&, const Place&, QueryLanguage);
void check_result_path(Context&, const Json&, const Place&, QueryLanguage);
void check_path_or_intrinsic(Context&, const Json&, const Place&, QueryLanguage);
void check_template(Context&, const Json&, const Place&, QueryLanguage);     // a payload template
void check_expressions(Context&, const Json&, const Place&, QueryLanguage);  // JSON with JSONata in it
void check_payload(Context&, const Json&, const Place&, QueryLanguage);      // the one or the other
void check_expression(Context& context, const std::string& expression, const Place& place);
void check_text_with_expression(Context& context, const std::string& text, const Place& place);
void check_message(Context&, const Json&, const Place&, QueryLanguage);  // Error and Cause of a Fail state
void check_resource(Context&, const Json&, const Place&, QueryLanguage);
void check_assign(Context&, const Json&, const Place&, QueryLanguage);

// A number that is written down, or in JSONata may be an expression.
void check_quantity(Context& context, const Json& value, const Place& place, QueryLanguage language, double least,
                    double most, bool whole);
// A number that is written down.
void check_number(Context& context, const Json& value, const Place& place, double least, double most, bool whole);

template <int64_t least, int64_t most>
void check_whole_quantity(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  check_quantity(context, value, place, language, least, most, true);
}
template <int64_t least, int64_t most>
void check_whole_number(Context& context, const Json& value, const Place& place, QueryLanguage) {
  check_number(context, value, place, least, most, true);
}

constexpr int64_t kMostSeconds = 99'999'999;

// ---- parts

void check_state(Context& context, const std::string& name, const Json& state, const Place& place);
void check_retriers(Context&, const Json&, const Place&, QueryLanguage);
void check_catchers(Context&, const Json&, const Place&, QueryLanguage);
void check_choices(Context&, const Json&, const Place&, QueryLanguage);
void check_map(Context& context, const Json& state, const Place& place);
void check_item_reader(Context&, const Json&, const Place&, QueryLanguage);
void check_item_batcher(Context&, const Json&, const Place&, QueryLanguage);
void check_result_writer(Context&, const Json&, const Place&, QueryLanguage);
void check_label(Context&, const Json&, const Place&, QueryLanguage);
void check_transitions(Context& context, const FlowSource& flow);
void collect_variables(const Context& context, FlowSource* flow);

// The language of a state, where it can be told.
QueryLanguage language_of(const Context& context, const Json& state);

}  // namespace etl::states::validation
