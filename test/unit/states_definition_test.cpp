#include "states/definition.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "states/jsonata.h"
#include "states/validate.h"

namespace etl::states {
namespace {

JsonataEngine& engine() {
  static JsonataEngine engine;
  return engine;
}

const State& only_state(const Definition& definition) {
  return definition.flow->states.begin()->second;
}

Definition of_state(const char* state) {
  return parse_definition({{"StartAt", "A"}, {"States", {{"A", Json::parse(state)}}}});
}

std::string errors_of(const std::vector<Finding>& findings) {
  std::string result;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::kError)
      result += finding.code + ' ' + finding.pointer + ": " + finding.message + '\n';
  }
  return result;
}

TEST(StatesDefinition, ReadsATask) {
  const Definition definition = of_state(R"({"Type":"Task","Resource":"r","Next":"A","TimeoutSeconds":10,
      "HeartbeatSecondsPath":"$.h","InputPath":null,"ResultPath":"$.r","Parameters":{"a.$":"$.a"},"Credentials":{"c":1},
      "Retry":[{"ErrorEquals":["E"]},{"ErrorEquals":["F","G"],"IntervalSeconds":3,"MaxAttempts":0,"BackoffRate":1.5,
                "MaxDelaySeconds":7,"JitterStrategy":"FULL"}],
      "Catch":[{"ErrorEquals":["States.ALL"],"Next":"A","ResultPath":null,"Assign":{"x":1}}]})");
  const State& state = only_state(definition);
  EXPECT_EQ(state.name, "A");
  EXPECT_EQ(state.type, StateType::kTask);
  EXPECT_EQ(state.resource, "r");
  EXPECT_EQ(state.next, "A");
  EXPECT_FALSE(state.end);
  EXPECT_EQ(std::get<double>(state.timeout_seconds->source), 10);
  EXPECT_EQ(state.heartbeat_seconds->field, "HeartbeatSecondsPath");
  EXPECT_EQ(std::get<Path>(state.heartbeat_seconds->source).text(), "$.h");
  EXPECT_TRUE(state.input_path.is_null);
  EXPECT_FALSE(state.output_path.is_null);
  EXPECT_FALSE(state.output_path.path);
  EXPECT_EQ(state.result_path.path->text(), "$.r");
  EXPECT_TRUE(state.parameters);
  EXPECT_FALSE(state.result_selector);
  EXPECT_TRUE(state.arguments.is_discarded());
  EXPECT_EQ(state.credentials, Json({{"c", 1}}));

  ASSERT_EQ(state.retriers.size(), 2u);
  EXPECT_EQ(state.retriers[0].interval_seconds, 1);
  EXPECT_EQ(state.retriers[0].max_attempts, 3);
  EXPECT_EQ(state.retriers[0].backoff_rate, 2.0);
  EXPECT_FALSE(state.retriers[0].max_delay_seconds);
  EXPECT_FALSE(state.retriers[0].jitter);
  EXPECT_EQ(state.retriers[1].errors, (std::vector<std::string>{"F", "G"}));
  EXPECT_EQ(state.retriers[1].max_attempts, 0);
  EXPECT_EQ(state.retriers[1].max_delay_seconds, 7);
  EXPECT_TRUE(state.retriers[1].jitter);

  ASSERT_EQ(state.catchers.size(), 1u);
  EXPECT_TRUE(state.catchers[0].result_path.is_null);
  EXPECT_TRUE(state.catchers[0].assign);
  EXPECT_TRUE(state.catchers[0].output.is_discarded());
}

TEST(StatesDefinition, ReadsJsonata) {
  const Definition definition = parse_definition(Json::parse(R"({"QueryLanguage":"JSONata","StartAt":"A","States":{
      "A":{"Type":"Task","Resource":"r","Next":"B","Arguments":{"a":"{% 1 %}"},"Output":null,"TimeoutSeconds":"{% 5 %}",
           "Catch":[{"ErrorEquals":["E"],"Next":"B","Output":"{% 2 %}"}]},
      "B":{"Type":"Choice","Choices":[{"Condition":"{% true %}","Next":"C","Assign":{"x":1}}],"Default":"C"},
      "C":{"Type":"Wait","Timestamp":"{% $now() %}","Next":"D"},
      "D":{"Type":"Fail","Error":"E"}}})"));
  const auto& states = definition.flow->states;
  const State& task = states.at("A");
  EXPECT_EQ(task.language, QueryLanguage::kJsonata);
  EXPECT_EQ(task.arguments, Json({{"a", "{% 1 %}"}}));
  EXPECT_TRUE(task.output.is_null());
  EXPECT_TRUE(task.jsonata_assign.is_discarded());
  EXPECT_NE(std::get<std::string>(task.timeout_seconds->source).find('5'), std::string::npos);
  EXPECT_EQ(std::get<std::string>(task.timeout_seconds->source).find('%'), std::string::npos);
  EXPECT_EQ(task.catchers[0].output, "{% 2 %}");
  EXPECT_TRUE(task.catchers[0].jsonata_assign.is_discarded());
  EXPECT_EQ(states.at("B").choices[0].condition, "{% true %}");
  EXPECT_EQ(states.at("B").choices[0].jsonata_assign, Json({{"x", 1}}));
  EXPECT_EQ(states.at("B").default_next, "C");
  EXPECT_EQ(states.at("C").timestamp, "{% $now() %}");
  EXPECT_EQ(states.at("D").error, "E");
  EXPECT_TRUE(states.at("D").cause.is_discarded());
}

TEST(StatesDefinition, MixesLanguages) {
  const Definition definition = parse_definition(Json::parse(R"({"StartAt":"A","States":{
      "A":{"Type":"Map","QueryLanguage":"JSONata","Items":[1],"End":true,
           "ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Pass","End":true,"Parameters":{}}}}}}})"));
  const State& map = only_state(definition);
  EXPECT_EQ(map.language, QueryLanguage::kJsonata);
  EXPECT_EQ(map.map->items, Json::array({1}));
  EXPECT_EQ(map.map->processor->states.at("B").language, QueryLanguage::kJsonPath);
}

TEST(StatesDefinition, FindsFlowsByTheirPointers) {
  const Definition definition = parse_definition(Json::parse(R"({"StartAt":"a/b~c","States":{
      "a/b~c":{"Type":"Parallel","End":true,"Branches":[
          {"StartAt":"B","States":{"B":{"Type":"Succeed"}}},
          {"StartAt":"C","States":{"C":{"Type":"Map","End":true,
              "Iterator":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},"StartAt":"D","States":{"D":{"Type":"Fail"}}}}}}]}}})"));
  EXPECT_EQ(definition.flows.size(), 4u);
  EXPECT_EQ(definition.find_flow(""), definition.flow.get());
  EXPECT_EQ(definition.find_flow("/States/a~1b~0c/Branches/0")->start_at, "B");
  const Flow* second = definition.find_flow("/States/a~1b~0c/Branches/1");
  EXPECT_EQ(second->start_at, "C");
  const Flow* iterator = definition.find_flow("/States/a~1b~0c/Branches/1/States/C/Iterator");
  EXPECT_EQ(second->states.at("C").map->processor.get(), iterator);
  EXPECT_TRUE(second->states.at("C").map->distributed);
  EXPECT_EQ(iterator->pointer, "/States/a~1b~0c/Branches/1/States/C/Iterator");
  EXPECT_EQ(definition.find_flow("/States"), nullptr);
}

TEST(StatesDefinition, NamesTypes) {
  for (const char* name : {"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"}) {
    ASSERT_TRUE(find_state_type(name));
    EXPECT_STREQ(name_of(*find_state_type(name)), name);
  }
  EXPECT_FALSE(find_state_type("task"));
}

TEST(StatesDefinition, RefusesWhatIsNone) {
  for (const char* source :
       {"1", "[]", "{}", R"({"StartAt":"A","States":[]})", R"({"StartAt":"A","States":{"A":1}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Foo"}}})", R"({"StartAt":"A","States":{"A":{"Type":"Task"}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Pass","End":"x"}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"x"}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Pass","ResultPath":"$$.x"}}})",
        R"j({"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"States.Nothing()"}}}})j",
        R"({"StartAt":"A","States":{"A":{"Type":"Task","Resource":"r","Retry":{}}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Task","Resource":"r","Retry":[1]}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":"1"}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Map"}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Task","Resource":"r",
            "Retry":[{"ErrorEquals":["E"],"MaxAttempts":1e300}]}}})",
        R"({"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Next":"A"}]}}})"}) {
    EXPECT_THROW(parse_definition(Json::parse(source)), std::invalid_argument) << source;
  }
}

// ---- all definitions that ran on the real service

Json recorded(const char* name) {
  const char* set = std::getenv("SHARED_DIR");
  const std::vector<std::string> folders =
      set ? std::vector<std::string>{set} : std::vector<std::string>{"../shared", "../../../shared"};
  for (const std::string& folder : folders) {
    std::ifstream file(folder + "/asl/" + name);
    if (file) return Json::parse(file);
  }
  return Json();
}

std::vector<Json> recorded_definitions() {
  std::vector<Json> result;
  for (const char* name : {"cases.json", "replay_cases.json"}) {
    for (const Json& each : recorded(name)) result.push_back(each["definition"]);
  }
  return result;
}

TEST(StatesDefinition, AcceptsWhatTheServiceAccepted) {
  const auto definitions = recorded_definitions();
  if (definitions.empty()) GTEST_SKIP() << "the recorded cases are not here";
  for (const Json& definition : definitions) {
    EXPECT_EQ(errors_of(validate(definition, engine())), "") << definition;
    EXPECT_NO_THROW(parse_definition(definition)) << definition;
  }
}

// All places of a document, in no order.
std::vector<Json::json_pointer> places_of(const Json& document) {
  std::vector<Json::json_pointer> result;
  const Json flat = document.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    for (auto place = Json::json_pointer(pointer); !place.empty(); place.pop_back()) result.push_back(place);
  }
  return result;
}

// Another document that differs in one place.
Json mutated(Json document, const std::vector<Json>& values, std::mt19937_64& random) {
  const auto places = places_of(document);
  if (places.empty()) return document;
  const auto& place = places[random() % places.size()];
  const auto& other = places[random() % places.size()];
  const Json value = document[other];
  Json& parent = document[place.parent_pointer()];
  switch (random() % 4) {
    case 0:
      if (parent.is_object()) parent.erase(place.back());
      break;
    case 1:
      document[place] = values[random() % values.size()];
      break;
    case 2:
      document[place] = value;
      break;
    default:
      if (parent.is_object()) parent[other.back()] = value;
  }
  return document;
}

// What validation lets through can be parsed; what it does not, it tells of.
TEST(StatesDefinition, ParsesWhateverIsValid) {
  auto definitions = recorded_definitions();
  if (definitions.empty()) GTEST_SKIP() << "the recorded cases are not here";
  const std::vector<Json> values = {nullptr,
                                    true,
                                    false,
                                    0,
                                    -1,
                                    1.5,
                                    1e300,
                                    18446744073709551615u,
                                    "",
                                    "$",
                                    "$.a",
                                    "$$.a",
                                    "$v",
                                    "$.a[*]",
                                    "$..a",
                                    "States.ALL",
                                    "States.Format('{}', $.a)",
                                    "States.Format(",
                                    "{% 1 %}",
                                    "{% ( %}",
                                    "JSONata",
                                    "JSONPath",
                                    "Pass",
                                    "Map",
                                    "Parallel",
                                    "Choice",
                                    Json::array(),
                                    Json::object(),
                                    {{"a.$", "$"}},
                                    Json::array({1})};
  std::mt19937_64 random(5);
  int valid = 0;
  for (int i = 0; i < 5'000; ++i) {
    Json definition = definitions[random() % definitions.size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes) definition = mutated(definition, values, random);
    if (!errors_of(validate(definition, engine())).empty()) continue;
    ++valid;
    ASSERT_NO_THROW(parse_definition(definition)) << definition;
  }
  EXPECT_GT(valid, 250);
}

// ---- hostile ones

TEST(StatesDefinition, RefusesDepth) {
  Json deep = Json::object();
  for (int i = 0; i < 10'000; ++i) {
    Json outer = Json::object();
    outer["Not"] = std::move(deep);
    deep = std::move(outer);
  }
  Json definition = {{"StartAt", "A"}, {"States", {{"A", {{"Type", "Pass"}, {"End", true}}}}}};
  definition["States"]["A"]["Result"] = std::move(deep);
  const auto findings = validate(definition, engine());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "LIMIT_EXCEEDED");
  EXPECT_THROW(parse_definition(definition), std::invalid_argument);
}

TEST(StatesDefinition, TakesRulesAsDeepAsJsonMayBe) {
  Json rule = {{"Variable", "$.a"}, {"IsPresent", true}};
  for (int i = 0; i < 900; ++i) {
    Json outer = Json::object();
    outer["Not"] = std::move(rule);
    rule = std::move(outer);
  }
  rule["Next"] = "B";
  Json definition = {{"StartAt", "A"}, {"States", {{"A", {{"Type", "Choice"}}}, {"B", {{"Type", "Succeed"}}}}}};
  definition["States"]["A"]["Choices"].push_back(std::move(rule));
  EXPECT_EQ(errors_of(validate(definition, engine())), "");
  const Definition parsed = parse_definition(definition);
  const Json nothing = Json::object();
  EXPECT_FALSE(parsed.flow->states.at("A").choices[0].holds({nothing, nothing, nothing}));
}

TEST(StatesDefinition, RefusesFlowsWithinFlowsWithoutEnd) {
  Json flow = {{"StartAt", "S"}, {"States", {{"S", {{"Type", "Succeed"}}}}}};
  for (int i = 0; i < 200; ++i) {
    const std::string name = "S" + std::to_string(i);
    Json map = {{"Type", "Map"}, {"End", true}};
    map["ItemProcessor"] = std::move(flow);
    flow = {{"StartAt", name}, {"States", Json::object()}};
    flow["States"][name] = std::move(map);
  }
  const auto findings = validate(flow, engine());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "LIMIT_EXCEEDED");
}

TEST(StatesDefinition, RefusesSize) {
  Json definition = {{"StartAt", "A"}, {"States", {{"A", {{"Type", "Pass"}, {"End", true}}}}}};
  definition["States"]["A"]["Result"] = std::string(10'000'000, 'x');
  auto findings = validate(definition, engine());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "LIMIT_EXCEEDED");

  Json chain = {{"StartAt", "S0"}, {"States", Json::object()}};
  for (int i = 0; i < 100'000; ++i) {
    chain["States"]["S" + std::to_string(i)] = {{"Type", "Pass"}, {"Next", "S" + std::to_string((i + 1) % 100'000)}};
  }
  ValidationLimits limits;
  limits.definition_bytes = 100'000'000;
  findings = validate(chain, engine(), nullptr, limits);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "LIMIT_EXCEEDED");
  limits.most_states = 100'000;
  findings = validate(chain, engine(), nullptr, limits);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "MISSING_END_STATE");
}

// Long names within each other, and findings about them, take no more memory than the definition allows.
TEST(StatesDefinition, SurvivesLongNames) {
  const std::string name(20'000, 'n');
  Json value = Json::object();
  for (int i = 0; i < 40'000; ++i) value["k" + std::to_string(i) + ".$"] = 1;
  for (int i = 0; i < 20; ++i) value = {{name, std::move(value)}};
  Json definition = {{"StartAt", "A"}, {"States", {{"A", {{"Type", "Pass"}, {"End", true}}}}}};
  definition["States"]["A"]["Parameters"] = std::move(value);
  const auto findings = validate(definition, engine());
  ASSERT_EQ(findings.size(), 101u);
  EXPECT_EQ(findings[0].code, "WRONG_TYPE");
}

TEST(StatesDefinition, TakesTheLastOfEqualKeys) {
  const auto definition =
      parse_json(R"({"StartAt":"B","StartAt":"A","States":{"A":{"Type":"Fail","Type":"Succeed"}}})");
  ASSERT_TRUE(definition);
  EXPECT_EQ(errors_of(validate(*definition, engine())), "");
  EXPECT_EQ(only_state(parse_definition(*definition)).type, StateType::kSucceed);
}

}  // namespace
}  // namespace etl::states
