#include "states/definition.h"

#include <stdexcept>

#include "states/definition_fields.h"
#include "states/document.h"

namespace etl::states {
namespace {

constexpr std::pair<const char*, StateType> kTypes[] = {
    {"Task", StateType::kTask},         {"Pass", StateType::kPass}, {"Choice", StateType::kChoice},
    {"Wait", StateType::kWait},         {"Fail", StateType::kFail}, {"Succeed", StateType::kSucceed},
    {"Parallel", StateType::kParallel}, {"Map", StateType::kMap}};

std::vector<Retrier> parse_retriers(const Json& state) {
  std::vector<Retrier> result;
  if (!state.contains("Retry")) return result;
  for (const Json& source : fields::list(state, "Retry")) {
    Retrier retrier;
    retrier.errors = fields::texts(source, "ErrorEquals");
    retrier.interval_seconds = fields::integer(source, "IntervalSeconds", retrier.interval_seconds);
    retrier.max_attempts = fields::integer(source, "MaxAttempts", retrier.max_attempts);
    retrier.backoff_rate = fields::number(source, "BackoffRate", retrier.backoff_rate);
    if (source.contains("MaxDelaySeconds")) retrier.max_delay_seconds = fields::integer(source, "MaxDelaySeconds", 0);
    retrier.jitter = fields::optional_text(source, "JitterStrategy") == "FULL";
    result.push_back(std::move(retrier));
  }
  return result;
}

// Parses the flows of one definition; knows what they share.
class Parser {
 public:
  explicit Parser(Definition* definition) : definition_(definition) {}

  void parse(const Json& source);

 private:
  std::shared_ptr<const Flow> parse_flow(const Json& source, const std::string& pointer);
  State parse_state(const std::string& name, const Json& source, const std::string& pointer);
  void parse_paths(const Json& source, State* state);
  void parse_jsonata(const Json& source, State* state);
  void parse_type(const Json& source, const std::string& pointer, State* state);
  void parse_task(const Json& source, State* state);
  void parse_choice(const Json& source, State* state);
  void parse_wait(const Json& source, State* state);
  void parse_fail(const Json& source, State* state);
  void parse_parallel(const Json& source, const std::string& pointer, State* state);
  void parse_map(const Json& source, const std::string& pointer, State* state);
  std::vector<Catcher> parse_catchers(const Json& source, QueryLanguage language);
  ChoiceRule parse_rule(const Json& source, QueryLanguage language);

  Definition* definition_;
  QueryLanguage language_ = QueryLanguage::kJsonPath;  // of states that do not say
};

void Parser::parse(const Json& source) {
  language_ = fields::language(source, QueryLanguage::kJsonPath);
  definition_->comment = fields::optional_text(source, "Comment");
  definition_->timeout_seconds = fields::quantity(source, "TimeoutSeconds", language_);
  definition_->flow = parse_flow(source, "");
}

std::shared_ptr<const Flow> Parser::parse_flow(const Json& source, const std::string& pointer) {
  auto flow = std::make_shared<Flow>();
  flow->pointer = pointer;
  flow->start_at = fields::required_text(source, "StartAt");
  const Json& states = fields::at(source, "States");
  if (!states.is_object()) throw std::invalid_argument("States is no object");
  const std::string place = pointer_to(pointer, "States");
  for (const auto& [name, state] : states.items()) {
    flow->states.emplace(name, parse_state(name, state, pointer_to(place, name)));
  }
  definition_->flows.emplace(flow->pointer, flow);
  return flow;
}

State Parser::parse_state(const std::string& name, const Json& source, const std::string& pointer) {
  State state;
  state.name = name;
  const auto type = find_state_type(fields::required_text(source, "Type"));
  if (!type) throw std::invalid_argument("the type of state \"" + name + "\" is unknown");
  state.type = *type;
  state.language = fields::language(source, language_);
  state.next = fields::optional_text(source, "Next");
  const Json* end = fields::find(source, "End");
  state.end = end != nullptr && end->get<bool>();
  if (state.language == QueryLanguage::kJsonPath) {
    parse_paths(source, &state);
  } else {
    parse_jsonata(source, &state);
  }
  state.retriers = parse_retriers(source);
  state.catchers = parse_catchers(source, state.language);
  parse_type(source, pointer, &state);
  return state;
}

void Parser::parse_paths(const Json& source, State* state) {
  state->input_path = fields::optional_path(source, "InputPath");
  state->output_path = fields::optional_path(source, "OutputPath");
  state->result_path = fields::result_path(source);
  // A Map's Parameters are the old name of its ItemSelector.
  if (state->type != StateType::kMap) state->parameters = fields::payload(source, "Parameters");
  state->result_selector = fields::payload(source, "ResultSelector");
  state->assign = fields::payload(source, "Assign");
}

void Parser::parse_jsonata(const Json& source, State* state) {
  state->arguments = fields::json(source, "Arguments");
  state->output = fields::json(source, "Output");
  state->jsonata_assign = fields::json(source, "Assign");
}

void Parser::parse_type(const Json& source, const std::string& pointer, State* state) {
  switch (state->type) {
    case StateType::kTask:
      return parse_task(source, state);
    case StateType::kPass:
      state->result = fields::json(source, "Result");
      return;
    case StateType::kChoice:
      return parse_choice(source, state);
    case StateType::kWait:
      return parse_wait(source, state);
    case StateType::kSucceed:
      return;
    case StateType::kFail:
      return parse_fail(source, state);
    case StateType::kParallel:
      return parse_parallel(source, pointer, state);
    case StateType::kMap:
      return parse_map(source, pointer, state);
  }
}

void Parser::parse_task(const Json& source, State* state) {
  state->resource = fields::required_text(source, "Resource");
  state->credentials = fields::json(source, "Credentials");
  state->timeout_seconds = fields::quantity(source, "TimeoutSeconds", state->language);
  state->heartbeat_seconds = fields::quantity(source, "HeartbeatSeconds", state->language);
}

void Parser::parse_choice(const Json& source, State* state) {
  for (const Json& rule : fields::list(source, "Choices")) state->choices.push_back(parse_rule(rule, state->language));
  state->default_next = fields::optional_text(source, "Default");
}

ChoiceRule Parser::parse_rule(const Json& source, QueryLanguage language) {
  ChoiceRule rule;
  rule.next = fields::required_text(source, "Next");
  if (language == QueryLanguage::kJsonPath) {
    rule.assign = fields::payload(source, "Assign");
    rule.test = parse_test(source);
  } else {
    rule.condition = fields::at(source, "Condition");
    rule.output = fields::json(source, "Output");
    rule.jsonata_assign = fields::json(source, "Assign");
  }
  return rule;
}

std::vector<Catcher> Parser::parse_catchers(const Json& state, QueryLanguage language) {
  std::vector<Catcher> result;
  if (!state.contains("Catch")) return result;
  for (const Json& source : fields::list(state, "Catch")) {
    Catcher catcher;
    catcher.errors = fields::texts(source, "ErrorEquals");
    catcher.next = fields::required_text(source, "Next");
    if (language == QueryLanguage::kJsonPath) {
      catcher.result_path = fields::result_path(source);
      catcher.assign = fields::payload(source, "Assign");
    } else {
      catcher.output = fields::json(source, "Output");
      catcher.jsonata_assign = fields::json(source, "Assign");
    }
    result.push_back(std::move(catcher));
  }
  return result;
}

void Parser::parse_wait(const Json& source, State* state) {
  state->seconds = fields::quantity(source, "Seconds", state->language);
  if (source.contains("Timestamp")) state->timestamp = fields::required_text(source, "Timestamp");
  state->timestamp_path = fields::path(source, "TimestampPath");
}

void Parser::parse_fail(const Json& source, State* state) {
  state->error = fields::json(source, "Error");
  state->cause = fields::json(source, "Cause");
  state->error_path = fields::expression(source, "ErrorPath");
  state->cause_path = fields::expression(source, "CausePath");
}

void Parser::parse_parallel(const Json& source, const std::string& pointer, State* state) {
  const std::string branches = pointer_to(pointer, "Branches");
  for (const Json& branch : fields::list(source, "Branches")) {
    state->branches.push_back(parse_flow(branch, pointer_to(branches, state->branches.size())));
  }
}

void Parser::parse_map(const Json& source, const std::string& pointer, State* state) {
  MapFields map;
  const char* processor = source.contains("ItemProcessor") ? "ItemProcessor" : "Iterator";
  const Json& flow = fields::at(source, processor);
  map.processor = parse_flow(flow, pointer_to(pointer, processor));
  if (const Json* config = fields::find(flow, "ProcessorConfig")) {
    map.distributed = fields::optional_text(*config, "Mode") == "DISTRIBUTED";
  }
  if (state->language == QueryLanguage::kJsonPath) {
    map.items_path = fields::path(source, "ItemsPath");
    map.item_selector = fields::payload(source, source.contains("ItemSelector") ? "ItemSelector" : "Parameters");
  } else {
    map.items = fields::json(source, "Items");
    map.jsonata_item_selector = fields::json(source, "ItemSelector");
  }
  map.max_concurrency = fields::quantity(source, "MaxConcurrency", state->language);
  map.tolerated_failure_count = fields::quantity(source, "ToleratedFailureCount", state->language);
  map.tolerated_failure_percentage = fields::quantity(source, "ToleratedFailurePercentage", state->language);
  map.item_batcher = fields::optional_json(source, "ItemBatcher");
  map.item_reader = fields::optional_json(source, "ItemReader");
  map.result_writer = fields::optional_json(source, "ResultWriter");
  map.label = fields::optional_text(source, "Label");
  state->map = std::move(map);
}

}  // namespace

const char* name_of(StateType type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  return "";
}

std::optional<StateType> find_state_type(std::string_view name) {
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

const Flow* Definition::find_flow(const std::string& pointer) const {
  const auto found = flows.find(pointer);
  return found == flows.end() ? nullptr : found->second.get();
}

Definition parse_definition(const Json& source) {
  if (!source.is_object()) throw std::invalid_argument("a definition is an object");
  if (extent(source).depth > kDeepestJson) throw std::invalid_argument("the definition is nested too deep");
  Definition definition;
  try {
    Parser(&definition).parse(source);
  } catch (const std::invalid_argument&) {
    throw;
  } catch (const std::runtime_error& error) {  // of paths and intrinsic functions
    throw std::invalid_argument(error.what());
  } catch (const Json::exception& error) {
    throw std::invalid_argument(error.what());
  }
  return definition;
}

}  // namespace etl::states
