#include "states/jsonata.h"
#include "states/timestamp.h"
#include "states/utf8.h"
#include "states/validation.h"

namespace etl::states::validation {
namespace {

constexpr auto kJsonPath = Dialect::kJsonPath;
constexpr auto kJsonata = Dialect::kJsonata;

void check_branches(Context& context, const Json& value, const Place& place, QueryLanguage) {
  // What is in them is checked with the other flows.
  if (!value.is_array() || value.empty()) {
    context.error(place, "WRONG_TYPE", "\"Branches\" must be a list of at least one branch");
  }
}

void check_percentage(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  check_quantity(context, value, place, language, 0, 100, false);
}

void check_moment(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (language == QueryLanguage::kJsonata && jsonata_expression(text)) {
      return check_expressions(context, value, place, language);
    }
    if (parse_instant(text)) return;
    context.error(place, "INVALID_TIMESTAMP", in_quotes(text) + " is not a time such as 2016-03-14T01:59:00Z");
    return;
  }
  context.error(place, "WRONG_TYPE", "\"Timestamp\" must be a string");
}

void check_items(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  const bool is_expression = value.is_string() && jsonata_expression(value.get_ref<const std::string&>());
  if (!value.is_array() && !is_expression) {
    context.error(place, "WRONG_TYPE", "\"Items\" must be an array or an expression");
    return;
  }
  check_expressions(context, value, place, language);
}

constexpr Check kSeconds = check_whole_quantity<1, kMostSeconds>;
constexpr Check kCount = check_whole_quantity<0, kMostSeconds>;

constexpr Field kCommon[] = {
    {"Type", check_text, Dialect::kAny, true}, {"Comment", check_text}, {"QueryLanguage", check_query_language}};
constexpr Field kTransition[] = {{"Next", check_text}, {"End", check_boolean}};
constexpr Field kInputOutput[] = {{"InputPath", check_path_or_null, kJsonPath},
                                  {"OutputPath", check_path_or_null, kJsonPath},
                                  {"Output", check_expressions, kJsonata}};
constexpr Field kAssign[] = {{"Assign", check_assign}};
constexpr Field kResultPath[] = {{"ResultPath", check_result_path, kJsonPath}};
constexpr Field kParameters[] = {{"Parameters", check_payload, kJsonPath}};
constexpr Field kArguments[] = {{"Arguments", check_expressions, kJsonata}};
constexpr Field kResultSelector[] = {{"ResultSelector", check_payload, kJsonPath}};
constexpr Field kErrorHandling[] = {{"Retry", check_retriers}, {"Catch", check_catchers}};

constexpr Field kTask[] = {{"Resource", check_resource, Dialect::kAny, true},
                           {"Credentials", check_payload},
                           {"TimeoutSeconds", kSeconds},
                           {"TimeoutSecondsPath", check_reference_path, kJsonPath},
                           {"HeartbeatSeconds", kSeconds},
                           {"HeartbeatSecondsPath", check_reference_path, kJsonPath}};
constexpr Field kPass[] = {{"Result", check_anything, kJsonPath}};
constexpr Field kChoice[] = {{"Choices", check_choices, Dialect::kAny, true}, {"Default", check_text}};
constexpr Field kWait[] = {{"Seconds", kCount},
                           {"SecondsPath", check_reference_path, kJsonPath},
                           {"Timestamp", check_moment},
                           {"TimestampPath", check_reference_path, kJsonPath}};
constexpr Field kFail[] = {{"Error", check_message},
                           {"Cause", check_message},
                           {"ErrorPath", check_path_or_intrinsic, kJsonPath},
                           {"CausePath", check_path_or_intrinsic, kJsonPath}};
constexpr Field kParallel[] = {{"Branches", check_branches, Dialect::kAny, true}};
constexpr Field kMap[] = {{"ItemProcessor", check_anything},
                          {"Iterator", check_anything},
                          {"ItemsPath", check_reference_path, kJsonPath},
                          {"Items", check_items, kJsonata},
                          {"ItemSelector", check_payload},
                          {"MaxConcurrency", kCount},
                          {"MaxConcurrencyPath", check_reference_path, kJsonPath},
                          {"ToleratedFailureCount", kCount},
                          {"ToleratedFailureCountPath", check_reference_path, kJsonPath},
                          {"ToleratedFailurePercentage", check_percentage},
                          {"ToleratedFailurePercentagePath", check_reference_path, kJsonPath},
                          {"ItemReader", check_item_reader},
                          {"ItemBatcher", check_item_batcher},
                          {"ResultWriter", check_result_writer},
                          {"Label", check_label}};

const std::vector<Fields>& fields_of(StateType type) {
  static const std::map<StateType, std::vector<Fields>> kFields = {
      {StateType::kTask,
       {kCommon, kTransition, kInputOutput, kAssign, kResultPath, kParameters, kArguments, kResultSelector,
        kErrorHandling, kTask}},
      {StateType::kPass, {kCommon, kTransition, kInputOutput, kAssign, kResultPath, kParameters, kPass}},
      {StateType::kChoice, {kCommon, kInputOutput, kAssign, kChoice}},
      {StateType::kWait, {kCommon, kTransition, kInputOutput, kAssign, kWait}},
      {StateType::kSucceed, {kCommon, kInputOutput}},
      {StateType::kFail, {kCommon, kFail}},
      {StateType::kParallel,
       {kCommon, kTransition, kInputOutput, kAssign, kResultPath, kParameters, kArguments, kResultSelector,
        kErrorHandling, kParallel}},
      {StateType::kMap,
       {kCommon, kTransition, kInputOutput, kAssign, kResultPath, kParameters, kResultSelector, kErrorHandling, kMap}}};
  return kFields.at(type);
}

void check_name(Context& context, const std::string& name, const Place& place) {
  const size_t length = count_characters(name);
  if (length == 0) context.error(place, "INVALID_STATE_NAME", "a state must have a name");
  if (length > context.limits.name_length) {
    context.error(place, "INVALID_STATE_NAME",
                  "the name " + in_quotes(name) + " has " + std::to_string(length) + " characters, more than " +
                      std::to_string(context.limits.name_length));
  }
}

void check_language(Context& context, const Json& state, const Place& place) {
  if (context.language == QueryLanguage::kJsonata && text_of(state, "QueryLanguage") == "JSONPath") {
    context.error(place / "QueryLanguage", "QUERY_LANGUAGE_CONFLICT",
                  "a state of a machine whose query language is JSONata cannot use JSONPath");
  }
}

void check_task(Context& context, const Json& state, const Place& place) {
  check_exclusive(context, state, place, {"TimeoutSeconds", "TimeoutSecondsPath"});
  check_exclusive(context, state, place, {"HeartbeatSeconds", "HeartbeatSecondsPath"});
  const auto timeout = state.find("TimeoutSeconds");
  const auto heartbeat = state.find("HeartbeatSeconds");
  if (timeout == state.end() || heartbeat == state.end() || !timeout->is_number() || !heartbeat->is_number()) return;
  if (heartbeat->get<double>() < timeout->get<double>()) return;
  context.error(place / "HeartbeatSeconds", "OUT_OF_RANGE",
                "\"HeartbeatSeconds\" must be less than \"TimeoutSeconds\"");
}

// Keys that end with .$ mean nothing in the Result of a Pass state.
void check_result(Context& context, const Json& value, const Place& place) {
  if (value.is_object()) {
    for (const auto& [name, part] : value.items()) {
      if (name.ends_with(".$")) {
        context.warn(
            place / name, "PASS_RESULT_IS_STATIC",
            "a Result is taken literally, also " + in_quotes(name) + "; use \"Parameters\" for what is computed");
      }
      check_result(context, part, place / name);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) check_result(context, value[i], place / i);
  }
}

void check_wait(Context& context, const Json& state, const Place& place) {
  check_exclusive(context, state, place, {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"});
  for (const char* name : {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}) {
    if (state.contains(name)) return;
  }
  context.error(place, "MISSING_FIELD", "a Wait state must have one of the fields \"Seconds\" and \"Timestamp\"");
}

void check_type(Context& context, StateType type, const Json& state, const Place& place) {
  switch (type) {
    case StateType::kTask:
      return check_task(context, state, place);
    case StateType::kPass:
      if (state.contains("Result")) check_result(context, state["Result"], place / "Result");
      return;
    case StateType::kWait:
      return check_wait(context, state, place);
    case StateType::kFail:
      check_exclusive(context, state, place, {"Error", "ErrorPath"});
      return check_exclusive(context, state, place, {"Cause", "CausePath"});
    case StateType::kMap:
      return check_map(context, state, place);
    case StateType::kChoice:
    case StateType::kSucceed:
    case StateType::kParallel:
      return;
  }
}

}  // namespace

bool is_field_of_some_state(std::string_view name) {
  for (const Fields table :
       {Fields(kCommon), Fields(kTransition), Fields(kInputOutput), Fields(kAssign), Fields(kResultPath),
        Fields(kParameters), Fields(kArguments), Fields(kResultSelector), Fields(kErrorHandling), Fields(kTask),
        Fields(kPass), Fields(kChoice), Fields(kWait), Fields(kFail), Fields(kParallel), Fields(kMap)}) {
    for (const Field& field : table) {
      if (field.name == name) return true;
    }
  }
  return false;
}

QueryLanguage language_of(const Context& context, const Json& state) {
  const std::string_view name = text_of(state, "QueryLanguage");
  if (name == "JSONata") return QueryLanguage::kJsonata;
  return name == "JSONPath" ? QueryLanguage::kJsonPath : context.language;
}

void check_state(Context& context, const std::string& name, const Json& state, const Place& place) {
  check_name(context, name, place);
  if (!state.is_object()) {
    context.error(place, "WRONG_TYPE", "a state must be an object");
    return;
  }
  const auto type = find_state_type(text_of(state, "Type"));
  if (!type) {
    if (state.contains("Type")) {
      context.error(place / "Type", "UNKNOWN_STATE_TYPE",
                    "the type of a state is Task, Pass, Choice, Wait, Succeed, Fail, Parallel or Map");
    } else {
      context.error(place, "MISSING_FIELD", "a state must have the field \"Type\"");
    }
    return;
  }
  check_language(context, state, place);

  const std::string owner = std::string("a ") + name_of(*type) + " state";
  check_object(context, state, place, language_of(context, state), owner, fields_of(*type));
  check_type(context, *type, state, place);
}

}  // namespace etl::states::validation
