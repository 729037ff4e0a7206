#include "states/validate.h"

#include <deque>
#include <stdexcept>

#include "states/validation.h"

namespace etl::states {
namespace validation {
namespace {

constexpr size_t kMostLevels = 32;  // of flows within flows: their pointers are kept whole, and grow with it

void check_version(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (value == "1.0") return;
  context.error(place, "UNSUPPORTED_VERSION", "the version of the language must be \"1.0\"");
}

void check_states(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (!value.is_object() || value.empty()) {
    context.error(place, "WRONG_TYPE", "\"States\" must be an object with at least one state");
  }
}

template <const char* first, const char* second>
void check_one_of(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (value == first || value == second) return;
  context.error(place, "INVALID_VALUE",
                in_quotes(place.key()) + " must be " + in_quotes(first) + " or " + in_quotes(second));
}

constexpr char kInline[] = "INLINE";
constexpr char kDistributed[] = "DISTRIBUTED";
constexpr char kStandard[] = "STANDARD";
constexpr char kExpress[] = "EXPRESS";
constexpr Field kConfig[] = {{"Mode", check_one_of<kInline, kDistributed>},
                             {"ExecutionType", check_one_of<kStandard, kExpress>}};

void check_config(Context& context, const Json& value, const Place& place, QueryLanguage language) {
  check_object(context, value, place, language, "the configuration of a processor", {kConfig});
}

constexpr Field kFlow[] = {{"StartAt", check_text, Dialect::kAny, true},
                           {"States", check_states, Dialect::kAny, true},
                           {"Comment", check_text}};
constexpr Field kMachine[] = {{"Version", check_version},
                              {"TimeoutSeconds", check_whole_number<1, kMostSeconds>},
                              {"QueryLanguage", check_query_language}};
constexpr Field kProcessor[] = {{"ProcessorConfig", check_config}};

// Finds the flows of a definition, the names of all states, and the variables of each flow.
class Survey {
 public:
  Survey(Context& context, const Json& definition);

  bool is_within_limits() const { return is_within_limits_; }
  const std::deque<FlowSource>& flows() const { return flows_; }

 private:
  FlowSource& add(const Json& source, const FlowSource& outer, std::string_view holder);
  void look_into(FlowSource* flow);
  void look_into_state(const FlowSource& flow, const std::string& name, const Json& state);
  void refuse(const Place& place, const std::string& message);

  Context& context_;
  std::deque<FlowSource> flows_;
  size_t states_ = 0;
  bool is_within_limits_ = true;
};

Survey::Survey(Context& context, const Json& definition) : context_(context) {
  FlowSource& machine = flows_.emplace_back();
  machine.source = &definition;
  machine.states = machine.place / "States";
  for (size_t i = 0; i < flows_.size() && is_within_limits_; ++i) look_into(&flows_[i]);
}

void Survey::refuse(const Place& place, const std::string& message) {
  context_.error(place, "LIMIT_EXCEEDED", message);
  is_within_limits_ = false;
}

FlowSource& Survey::add(const Json& source, const FlowSource& outer, std::string_view holder) {
  FlowSource& flow = flows_.emplace_back();
  flow.source = &source;
  flow.outer = &outer;
  flow.level = outer.level + 1;
  flow.holder = outer.states / holder;
  return flow;
}

void Survey::look_into(FlowSource* flow) {
  if (flow->level > kMostLevels) {
    return refuse(flow->place, "there are more than " + std::to_string(kMostLevels) + " flows within each other");
  }
  if (!flow->source->is_object() || !flow->source->contains("States")) return;
  const Json& states = (*flow->source)["States"];
  if (!states.is_object()) return;
  states_ += states.size();
  const size_t most = context_.limits.most_states;
  if (states_ > most) return refuse(flow->states, "there are more than " + std::to_string(most) + " states");

  for (const auto& [name, state] : states.items()) {
    const bool is_new = context_.owners.emplace(name, flow).second;
    if (!is_new) {
      context_.error(flow->states / name, "DUPLICATE_STATE_NAME",
                     "another flow of the machine has a state " + in_quotes(name) + ", too");
    }
    if (state.is_object()) look_into_state(*flow, name, state);
  }
  collect_variables(context_, flow);
}

void Survey::look_into_state(const FlowSource& flow, const std::string& name, const Json& state) {
  const std::string_view type = text_of(state, "Type");
  if (type == "Parallel" && state.contains("Branches") && state["Branches"].is_array()) {
    const Json& branches = state["Branches"];
    for (size_t i = 0; i < branches.size(); ++i) {
      FlowSource& branch = add(branches[i], flow, name);
      branch.list = branch.holder / "Branches";
      branch.place = branch.list / i;
      branch.states = branch.place / "States";
    }
  }
  if (type != "Map") return;
  for (const char* field : {"ItemProcessor", "Iterator"}) {
    if (!state.contains(field)) continue;
    FlowSource& processor = add(state[field], flow, name);
    processor.is_processor = true;
    processor.place = processor.holder / field;
    processor.states = processor.place / "States";
  }
}

void check_flow(Context& context, const FlowSource& flow) {
  context.flow = &flow;
  std::vector<Fields> tables = {kFlow};
  std::string owner = "a branch";
  if (flow.outer == nullptr) {
    tables.push_back(kMachine);
    owner = "a state machine";
  } else if (flow.is_processor) {
    tables.push_back(kProcessor);
    owner = "a processor of items";
  }
  if (!check_object(context, *flow.source, flow.place, context.language, owner, tables)) return;
  if (!flow.source->contains("States")) return;
  const Json& states = (*flow.source)["States"];
  if (!states.is_object() || states.empty()) return;
  for (const auto& [name, state] : states.items()) check_state(context, name, state, flow.states / name);
  check_transitions(context, flow);
}

void check_all(Context& context, const Json& definition) {
  const Place whole;
  if (!definition.is_object()) return context.error(whole, "WRONG_TYPE", "a definition must be an object");
  const Extent size = extent(definition);
  if (size.depth > kDeepestJson) {
    return context.error(whole, "LIMIT_EXCEEDED",
                         "the definition has more than " + std::to_string(kDeepestJson) + " levels");
  }
  if (size.bytes > context.limits.definition_bytes) {
    return context.error(whole, "LIMIT_EXCEEDED",
                         "the definition has more than " + std::to_string(context.limits.definition_bytes) + " bytes");
  }
  if (text_of(definition, "QueryLanguage") == "JSONata") context.language = QueryLanguage::kJsonata;
  const Survey survey(context, definition);
  if (!survey.is_within_limits()) return;
  for (const FlowSource& flow : survey.flows()) check_flow(context, flow);
}

}  // namespace
}  // namespace validation

std::vector<Finding> validate(const Json& definition, JsonataEngine& jsonata, const Resources* resources,
                              const ValidationLimits& limits) {
  validation::Context context(jsonata, resources, limits);
  validation::check_all(context, definition);
  if (!context.has_errors()) {
    // Whatever the checks may have missed: a definition without errors can be parsed.
    try {
      parse_definition(definition);
    } catch (const std::invalid_argument& error) {
      context.error(validation::Place(), "INVALID_DEFINITION", error.what());
    }
  }
  return std::move(context).findings();
}

}  // namespace etl::states
