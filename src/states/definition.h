// A state machine as its author wrote it, parsed: fields have types, expressions are parsed, states know each other.
//
// A definition is parsed once, after validation (validate.h) found no error in it, and never changes.
#pragma once

#include <map>
#include <variant>
#include <vector>

#include "states/choice.h"
#include "states/template.h"

namespace etl::states {

enum class QueryLanguage { kJsonPath, kJsonata };
enum class StateType { kTask, kPass, kChoice, kWait, kSucceed, kFail, kParallel, kMap };

const char* name_of(StateType type);  // "Task"
std::optional<StateType> find_state_type(std::string_view name);

// A path that may be null in the definition: then it stands for an empty object, or (ResultPath) for nothing.
struct OptionalPath {
  bool is_null = false;
  std::optional<Path> path;  // none: the default, $
};

// A number that is written down, or found by a path (JSONPath: ...Path fields), or is an expression (JSONata).
struct Quantity {
  std::string field;                               // as messages name it: TimeoutSeconds, TimeoutSecondsPath
  std::variant<double, Path, std::string> source;  // std::string: a JSONata expression, without its marks
};

struct Retrier {
  std::vector<std::string> errors;
  int64_t interval_seconds = 1;
  int64_t max_attempts = 3;
  double backoff_rate = 2.0;
  std::optional<int64_t> max_delay_seconds;
  bool jitter = false;  // JitterStrategy FULL
};

struct Catcher {
  std::vector<std::string> errors;
  std::string next;
  OptionalPath result_path;                              // JSONPath
  std::optional<Template> assign;                        // JSONPath
  Json output = Json(Json::value_t::discarded);          // JSONata; discarded (is_discarded()) where not given
  Json jsonata_assign = Json(Json::value_t::discarded);  // JSONata, likewise
};

struct Flow;

// How the items of a Map come about and what becomes of them.
struct MapFields {
  std::shared_ptr<const Flow> processor;
  bool distributed = false;
  std::optional<Path> items_path;               // JSONPath; or of an ItemReader's place
  Json items = Json(Json::value_t::discarded);  // JSONata
  std::optional<Template> item_selector;        // JSONPath; also the deprecated Parameters
  Json jsonata_item_selector = Json(Json::value_t::discarded);
  std::optional<Quantity> max_concurrency;  // 0: no limit
  std::optional<Quantity> tolerated_failure_count;
  std::optional<Quantity> tolerated_failure_percentage;
  std::optional<Json> item_batcher;  // as written: MaxItemsPerBatch(Path), MaxInputBytesPerBatch(Path), BatchInput
  std::optional<Json> item_reader;   // as written
  std::optional<Json> result_writer;
  std::string label;
};

// One state. Fields that its type does not have are empty. What JSONata has in another form is kept as JSON, with the
// strings that are expressions; a discarded Json is a field that is not there.
struct State {
  std::string name;
  StateType type = StateType::kPass;
  QueryLanguage language = QueryLanguage::kJsonPath;
  std::string next;  // empty: none
  bool end = false;

  // JSONPath
  OptionalPath input_path;
  OptionalPath output_path;
  OptionalPath result_path;
  std::optional<Template> parameters;  // Task, Pass, Parallel
  std::optional<Template> result_selector;
  std::optional<Template> assign;
  // JSONata
  Json arguments = Json(Json::value_t::discarded);
  Json output = Json(Json::value_t::discarded);
  Json jsonata_assign = Json(Json::value_t::discarded);

  Json result = Json(Json::value_t::discarded);  // Pass, JSONPath
  std::string resource;                          // Task
  Json credentials = Json(Json::value_t::discarded);
  std::optional<Quantity> timeout_seconds;
  std::optional<Quantity> heartbeat_seconds;
  std::vector<Retrier> retriers;
  std::vector<Catcher> catchers;

  std::vector<ChoiceRule> choices;
  std::string default_next;  // empty: none

  std::optional<Quantity> seconds;       // Wait
  std::optional<std::string> timestamp;  // Wait: a literal, or (JSONata) an expression with its marks
  std::optional<Path> timestamp_path;    // Wait

  Json error = Json(Json::value_t::discarded);  // Fail: a string; JSONata: may be an expression
  Json cause = Json(Json::value_t::discarded);
  std::optional<Expression> error_path;
  std::optional<Expression> cause_path;

  std::vector<std::shared_ptr<const Flow>> branches;  // Parallel
  std::optional<MapFields> map;
};

// States that lead to each other: of the machine, of a branch, of a Map's processor.
struct Flow {
  std::string pointer;  // JSON pointer to it in the definition: "", "/States/Each/ItemProcessor"
  std::string start_at;
  std::map<std::string, State> states;
};

struct Definition {
  std::shared_ptr<const Flow> flow;
  std::optional<Quantity> timeout_seconds;
  std::string comment;
  std::map<std::string_view, std::shared_ptr<const Flow>> flows;  // all of them, by their pointers

  // The flow at a pointer, wherever it is nested; null if there is none.
  const Flow* find_flow(const std::string& pointer) const;
};

// std::invalid_argument where it is none that validate() would accept.
Definition parse_definition(const Json& source);

}  // namespace etl::states
