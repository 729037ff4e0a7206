// What the fields of a state are evaluated with: for the interpreter's own files.
#pragma once

#include "states/interpreter.h"
#include "states/jsonata.h"

namespace etl::states {

// What an interpreter brings along.
struct Tools {
  const Definition& definition;
  JsonataEngine& jsonata;
  Entropy& entropy;
  std::function<Time()> now;
  std::function<std::string()> new_token;
  Json context;  // $$; as of the branch that was shown last

  void show(const Branch& branch);
  void show_item(const std::optional<MapItem>& item);  // $$.Map.Item
};

// Of one branch in one state. It does not outlive a change of the branch's input or variables.
class Evaluation {
 public:
  Evaluation(Tools& tools, const State& state, const Branch& branch);

  bool is_jsonata() const { return state_.language == QueryLanguage::kJsonata; }

  // JSONPath. All raise StateError.
  Scope scope(const Json& input) const { return {input, tools_.context, *variables_}; }
  Json select(const OptionalPath& path, const Json& value) const;  // InputPath, OutputPath
  Json fill(const Template& source, const Json& input) const;
  Json effective_input() const;  // after InputPath

  // JSONata. $states has the state's input, the context, and what is added.
  void add(const std::string& name, Json value);  // result, errorOutput
  Json query(const Json& source, const std::string& field);

  // Both. `input` is what paths speak of. StateError where the number is none, or not in the range; `text_too`: the
  // service takes "1" for a number in some fields.
  struct Range {
    double least = 0;
    double most = 99'999'999;
  };
  int64_t whole_number(const Quantity& quantity, const Json& input, Range range, bool text_too = false);
  double number(const Quantity& quantity, const Json& input, Range range);

 private:
  Json& states();
  Json value_of(const Quantity& quantity, const Json& input);
  [[noreturn]] void refuse(const Quantity& quantity, const Json& value, const std::string& expected) const;
  [[noreturn]] void refuse_range(const Quantity& quantity, const Range& range) const;

  Tools& tools_;
  const State& state_;
  const Branch& branch_;
  std::shared_ptr<const Json> variables_;
  std::optional<Json> states_;
};

// The service's words for a JSONata expression of the wrong type.
StateError unexpected_type(const Json& source, const std::string& field, const std::string& expected,
                           const Json& value);

bool is_given(const Json& field);  // was in the definition: not discarded

}  // namespace etl::states
