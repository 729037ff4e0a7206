#include "states/validate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "states/definition.h"
#include "states/jsonata.h"

namespace etl::states {
namespace {

JsonataEngine& engine() {
  static JsonataEngine engine;
  return engine;
}

std::vector<Finding> findings_of(const Json& definition) {
  return validate(definition, engine());
}

// "CODE /pointer" of each, warnings with a ~ in front.
std::vector<std::string> short_form(const std::vector<Finding>& findings) {
  std::vector<std::string> result;
  for (const Finding& finding : findings) {
    const char* mark = finding.severity == Severity::kWarning ? "~" : "";
    result.push_back(mark + finding.code + ' ' + finding.pointer);
  }
  return result;
}

// A machine of one state, called A.
Json machine(Json state) {
  return {{"StartAt", "A"}, {"States", {{"A", std::move(state)}}}};
}

Json jsonata(Json machine) {
  machine["QueryLanguage"] = "JSONata";
  return machine;
}

struct Case {
  const char* what;
  const char* definition;  // of a machine where it has States, else of the state A of a machine that has no other
  std::vector<std::string> findings;
};

void check(const std::vector<Case>& cases, bool in_jsonata = false) {
  for (const Case& each : cases) {
    Json definition = Json::parse(each.definition);
    if (!definition.contains("States")) definition = machine(std::move(definition));
    if (in_jsonata) definition = jsonata(std::move(definition));
    const auto findings = findings_of(definition);
    EXPECT_EQ(short_form(findings), each.findings) << each.what;
    for (const Finding& finding : findings) {
      EXPECT_FALSE(finding.message.empty()) << each.what;
      EXPECT_NE(finding.message.back(), '.') << finding.message;
    }
  }
}

TEST(StatesValidate, AcceptsOneOfEachType) {
  check({{"task",
          R"({"Type":"Task","Resource":"x","End":true,"TimeoutSeconds":10,"HeartbeatSeconds":9,"Comment":"c",
                      "Credentials":{"RoleArn.$":"$.role"},"Parameters":{"a.$":"$.a"},"ResultSelector":{"b.$":"$"},
                      "InputPath":null,"OutputPath":null,"ResultPath":null,"Assign":{"v.$":"$.x"},
                      "Retry":[{"ErrorEquals":["E","States.Timeout"],"IntervalSeconds":1,"MaxAttempts":0,
                                "BackoffRate":1.5,"MaxDelaySeconds":2,"JitterStrategy":"FULL","Comment":"c"},
                               {"ErrorEquals":["States.ALL"]}],"Catch":[]})",
          {}},
         {"pass", R"({"Type":"Pass","End":true,"Result":[1],"ResultPath":"$.a[0].b","InputPath":"$$.Execution"})", {}},
         {"choice",
          R"({"StartAt":"A","States":{"A":{"Type":"Choice","Default":"B","Assign":{"x":1},"Choices":[
                        {"Variable":"$.a","IsPresent":true,"Next":"B","Comment":"c","Assign":{"x":2}},
                        {"And":[{"Variable":"$.a","StringMatches":"a*"},{"Not":{"Variable":"$v","IsNull":true}}],
                         "Next":"A"}]},"B":{"Type":"Succeed"}}})",
          {}},
         {"wait", R"({"Type":"Wait","Seconds":0,"End":true})", {}},
         {"wait until", R"({"Type":"Wait","Timestamp":"2030-01-01T00:00:00Z","End":true})", {}},
         {"fail", R"({"Type":"Fail"})", {}},
         {"fail with paths", R"j({"Type":"Fail","ErrorPath":"$.e","CausePath":"States.Format('{}', $.c)"})j", {}},
         {"parallel",
          R"({"Type":"Parallel","End":true,"Branches":[
                          {"StartAt":"B","States":{"B":{"Type":"Succeed"}},"Comment":"c"},
                          {"StartAt":"C","States":{"C":{"Type":"Fail"}}}]})",
          {}},
         {"map",
          R"({"Type":"Map","End":true,"ItemsPath":"$.a","MaxConcurrency":0,"ItemSelector":{"i.$":"$$.Map.Item.Value"},
                     "ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"B","States":{"B":{"Type":"Succeed"}}}})",
          {}},
         {"old map",
          R"({"Type":"Map","End":true,"Parameters":{"i.$":"$"},
                         "Iterator":{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}})",
          {}},
         {"distributed map",
          R"({"Type":"Map","End":true,"Label":"L-1_ä","ToleratedFailureCount":1,"ToleratedFailurePercentage":0.5,
              "ItemBatcher":{"MaxItemsPerBatch":10,"BatchInput":{"a.$":"$.a"}},
              "ItemReader":{"Resource":"r","ReaderConfig":{"InputType":"JSON","MaxItems":5},"Parameters":{"Bucket":"b"}},
              "ResultWriter":{"Resource":"w","Parameters":{"Bucket":"b"}},
              "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
                               "StartAt":"B","States":{"B":{"Type":"Succeed"}}}})",
          {"~NOT_SUPPORTED /States/A/ItemReader"}}});
}

TEST(StatesValidate, AcceptsOneOfEachTypeInJsonata) {
  check({{"task",
          R"({"Type":"Task","Resource":"x","End":true,"Arguments":{"a":"{% $states.input.a %}"},
                      "Output":"{% $states.result %}","Assign":{"v":"{% 1 %}"},"TimeoutSeconds":"{% 10 %}",
                      "Catch":[{"ErrorEquals":["States.ALL"],"Next":"A","Output":{"e":"{% $states.errorOutput %}"}}]})",
          {}},
         {"pass", R"({"Type":"Pass","End":true,"Output":[1,"{% 2 %}"]})", {}},
         {"choice",
          R"({"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Condition":"{% true %}","Next":"B",
                        "Output":1,"Assign":{"x":1}},{"Condition":false,"Next":"B"}]},"B":{"Type":"Succeed","Output":2}}})",
          {}},
         {"wait", R"({"Type":"Wait","Seconds":"{% 1 %}","End":true})", {}},
         {"wait until", R"({"Type":"Wait","Timestamp":"{% $now() %}","End":true})", {}},
         {"fail", R"({"Type":"Fail","Error":"{% 'E' %}","Cause":"c"})", {}},
         {"map",
          R"({"Type":"Map","End":true,"Items":[1,"{% 2 %}"],"ItemSelector":{"i":"{% $states.context.Map.Item %}"},
                     "MaxConcurrency":"{% 2 %}","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}})",
          {}}},
        true);
}

TEST(StatesValidate, KnowsTheFieldsOfAMachine) {
  check({{"nothing", R"({"States":1})", {"MISSING_FIELD ", "WRONG_TYPE /States"}},
         {"no states", R"({"StartAt":"A","States":{}})", {"WRONG_TYPE /States"}},
         {"list of states", R"({"StartAt":"A","States":[{"Type":"Succeed"}]})", {"WRONG_TYPE /States"}},
         {"unknown",
          R"({"StartAt":"A","States":{"A":{"Type":"Succeed"}},"startAt":"A","Foo":1})",
          {"UNKNOWN_FIELD /Foo", "UNKNOWN_FIELD /startAt"}},
         {"types",
          R"({"StartAt":1,"States":{"A":{"Type":"Succeed"}},"Comment":2,"TimeoutSeconds":"3"})",
          {"WRONG_TYPE /Comment", "WRONG_TYPE /StartAt", "WRONG_TYPE /TimeoutSeconds"}},
         {"version",
          R"({"StartAt":"A","States":{"A":{"Type":"Succeed"}},"Version":"1.1"})",
          {"UNSUPPORTED_VERSION /Version"}},
         {"right version", R"({"StartAt":"A","States":{"A":{"Type":"Succeed"}},"Version":"1.0"})", {}},
         {"timeout",
          R"({"StartAt":"A","States":{"A":{"Type":"Succeed"}},"TimeoutSeconds":0})",
          {"OUT_OF_RANGE /TimeoutSeconds"}},
         {"language",
          R"({"StartAt":"A","States":{"A":{"Type":"Succeed"}},"QueryLanguage":"jsonata"})",
          {"INVALID_VALUE /QueryLanguage"}}});
  for (const Json& definition : {Json(), Json(1), Json("x"), Json::array(), Json(Json::value_t::discarded)}) {
    EXPECT_EQ(short_form(findings_of(definition)), std::vector<std::string>{"WRONG_TYPE "});
  }
}

TEST(StatesValidate, KnowsTheFieldsOfStates) {
  check({{"no type", R"({"End":true})", {"MISSING_FIELD /States/A"}},
         {"type", R"({"Type":"pass","End":true})", {"UNKNOWN_STATE_TYPE /States/A/Type"}},
         {"number as type", R"({"Type":1,"End":true})", {"UNKNOWN_STATE_TYPE /States/A/Type"}},
         {"no object", R"({"StartAt":"A","States":{"A":[]}})", {"WRONG_TYPE /States/A"}},
         {"no resource", R"({"Type":"Task","End":true})", {"MISSING_FIELD /States/A"}},
         {"empty resource", R"({"Type":"Task","Resource":"","End":true})", {"INVALID_RESOURCE /States/A/Resource"}},
         {"of another type",
          R"({"Type":"Pass","End":true,"Catch":[],"TimeoutSeconds":1,"Seconds":1})",
          {"FIELD_NOT_SUPPORTED /States/A/Catch", "FIELD_NOT_SUPPORTED /States/A/Seconds",
           "FIELD_NOT_SUPPORTED /States/A/TimeoutSeconds"}},
         {"choice with transition",
          R"({"StartAt":"A","States":{"B":{"Type":"Succeed"},"A":{"Type":"Choice","Next":"B",
             "Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"}],"End":true}}})",
          {"FIELD_NOT_SUPPORTED /States/A/End", "FIELD_NOT_SUPPORTED /States/A/Next"}},
         {"succeed with end", R"({"Type":"Succeed","End":true})", {"FIELD_NOT_SUPPORTED /States/A/End"}},
         {"fail with input", R"({"Type":"Fail","InputPath":"$"})", {"FIELD_NOT_SUPPORTED /States/A/InputPath"}},
         {"fail that assigns", R"({"Type":"Fail","Assign":{}})", {"FIELD_NOT_SUPPORTED /States/A/Assign"}},
         {"result selector of pass",
          R"({"Type":"Pass","End":true,"ResultSelector":{}})",
          {"FIELD_NOT_SUPPORTED /States/A/ResultSelector"}},
         {"unknown",
          R"({"Type":"Task","Resource":"r","End":true,"TimeoutSecond":1,"~/":1})",
          {"UNKNOWN_FIELD /States/A/TimeoutSecond", "UNKNOWN_FIELD /States/A/~0~1"}},
         {"jsonata",
          R"({"Type":"Task","Resource":"r","End":true,"Arguments":1,"Output":1})",
          {"FIELD_NOT_SUPPORTED /States/A/Arguments", "FIELD_NOT_SUPPORTED /States/A/Output"}},
         {"comment", R"({"Type":"Succeed","Comment":1})", {"WRONG_TYPE /States/A/Comment"}},
         {"end", R"({"Type":"Pass","End":"true"})", {"MISSING_TRANSITION /States/A", "WRONG_TYPE /States/A/End"}},
         {"payloads",
          R"({"Type":"Task","Resource":"r","End":true,"Parameters":[1],"ResultSelector":"$","Assign":1})",
          {"WRONG_TYPE /States/A/Assign", "WRONG_TYPE /States/A/Parameters", "WRONG_TYPE /States/A/ResultSelector"}}});
  check({{"jsonpath",
          R"({"Type":"Task","Resource":"r","End":true,"Parameters":{},"InputPath":"$","OutputPath":"$",
                          "ResultPath":"$","ResultSelector":{},"TimeoutSecondsPath":"$.a"})",
          {"FIELD_NOT_SUPPORTED /States/A/InputPath", "FIELD_NOT_SUPPORTED /States/A/OutputPath",
           "FIELD_NOT_SUPPORTED /States/A/Parameters", "FIELD_NOT_SUPPORTED /States/A/ResultPath",
           "FIELD_NOT_SUPPORTED /States/A/ResultSelector", "FIELD_NOT_SUPPORTED /States/A/TimeoutSecondsPath"}},
         {"result", R"({"Type":"Pass","End":true,"Result":1})", {"FIELD_NOT_SUPPORTED /States/A/Result"}},
         {"back to jsonpath",
          R"({"Type":"Pass","End":true,"QueryLanguage":"JSONPath"})",
          {"QUERY_LANGUAGE_CONFLICT /States/A/QueryLanguage"}}},
        true);
}

TEST(StatesValidate, SuggestsWhatWasMeant) {
  const auto findings = findings_of(machine({{"Type", "Pass"}, {"End", true}, {"Coment", "x"}}));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].message, "a Pass state has no field \"Coment\"; did you mean \"Comment\"?");
}

TEST(StatesValidate, FollowsTransitions) {
  check({
      {"start", R"({"StartAt":"B","States":{"A":{"Type":"Succeed"}}})", {"MISSING_TRANSITION_TARGET /StartAt"}},
      {"next", R"({"Type":"Pass","Next":"B"})", {"MISSING_TRANSITION_TARGET /States/A/Next"}},
      {"neither", R"({"Type":"Pass"})", {"MISSING_TRANSITION /States/A"}},
      {"end false", R"({"Type":"Pass","End":false})", {"MISSING_TRANSITION /States/A"}},
      {"both",
       R"({"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B","End":true},"B":{"Type":"Succeed"}}})",
       {"CONFLICTING_FIELDS /States/A"}},
      {"next and end false",
       R"({"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B","End":false},"B":{"Type":"Succeed"}}})",
       {}},
      {"everywhere",
       R"({"StartAt":"A","States":{
          "A":{"Type":"Choice","Default":"X","Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"},
                                                        {"Variable":"$.a","IsNull":true,"Next":"Y"},
                                                        {"Variable":"$.a","IsNull":true}]},
          "B":{"Type":"Task","Resource":"r","End":true,"Catch":[{"ErrorEquals":["E"],"Next":"Z"},{"ErrorEquals":["F"]}]}}})",
       {"MISSING_TRANSITION_TARGET /States/A/Choices/1/Next", "MISSING_TRANSITION /States/A/Choices/2",
        "MISSING_TRANSITION_TARGET /States/A/Default", "MISSING_TRANSITION_TARGET /States/B/Catch/0/Next",
        "MISSING_FIELD /States/B/Catch/1"}},
      {"unreachable",
       R"({"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Pass","Next":"C"},
                                                  "C":{"Type":"Pass","Next":"B"}}})",
       {"UNREACHABLE_STATE /States/B", "UNREACHABLE_STATE /States/C"}},
      {"no end",
       R"({"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}})",
       {"MISSING_END_STATE "}},
      {"end out of reach",
       R"({"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"},"B":{"Type":"Succeed"}}})",
       {"MISSING_END_STATE ", "UNREACHABLE_STATE /States/B"}},
      {"loop of choices",
       R"({"StartAt":"A","States":{
          "A":{"Type":"Choice","Default":"B","Choices":[{"Variable":"$.a","IsNull":true,"Next":"C"}]},
          "B":{"Type":"Choice","Default":"D","Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"}]},
          "C":{"Type":"Succeed"},"D":{"Type":"Pass","Next":"B"}}})",
       {"~ENDLESS_LOOP /States/B"}},
      {"loop that waits",
       R"({"StartAt":"A","States":{
          "A":{"Type":"Choice","Default":"B","Choices":[{"Variable":"$.a","IsNull":true,"Next":"C"}]},
          "B":{"Type":"Wait","Seconds":1,"Next":"B"},"C":{"Type":"Succeed"}}})",
       {}},
  });
}

TEST(StatesValidate, KeepsBranchesApart) {
  check({
      {"out of a branch",
       R"({"StartAt":"P","States":{"Z":{"Type":"Succeed"},"P":{"Type":"Parallel","Next":"Z","Branches":[
          {"StartAt":"B","States":{"B":{"Type":"Pass","Next":"Z"}}}]}}})",
       {"MISSING_TRANSITION_TARGET /States/P/Branches/0/States/B/Next"}},
      {"into a branch",
       R"({"StartAt":"P","States":{"P":{"Type":"Parallel","Next":"B","Branches":[
          {"StartAt":"B","States":{"B":{"Type":"Succeed"}}}]}}})",
       {"MISSING_TRANSITION_TARGET /States/P/Next"}},
      {"names",
       R"({"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
          {"StartAt":"B","States":{"B":{"Type":"Succeed"}}},{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}]}}})",
       {"DUPLICATE_STATE_NAME /States/P/Branches/1/States/B"}},
      {"name of the holder",
       R"({"Type":"Map","End":true,"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}})",
       {"DUPLICATE_STATE_NAME /States/A/ItemProcessor/States/A"}},
      {"fields",
       R"({"Type":"Parallel","End":true,"Branches":[1,{"StartAt":"B","States":{"B":{"Type":"Succeed"}},
                     "ProcessorConfig":{},"QueryLanguage":"JSONPath"},{}]})",
       {"WRONG_TYPE /States/A/Branches/0", "UNKNOWN_FIELD /States/A/Branches/1/ProcessorConfig",
        "FIELD_NOT_SUPPORTED /States/A/Branches/1/QueryLanguage", "MISSING_FIELD /States/A/Branches/2",
        "MISSING_FIELD /States/A/Branches/2"}},
      {"no branches", R"({"Type":"Parallel","End":true,"Branches":[]})", {"WRONG_TYPE /States/A/Branches"}},
      {"end of a branch",
       R"({"Type":"Parallel","End":true,"Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","Next":"B"}}}]})",
       {"MISSING_END_STATE /States/A/Branches/0"}},
  });
}

TEST(StatesValidate, ReadsPathsAndFunctions) {
  check({
      {"paths",
       R"({"Type":"Task","Resource":"r","End":true,"InputPath":"a","OutputPath":"$.","ResultPath":"$.a[*]",
                    "TimeoutSecondsPath":"$..a","HeartbeatSecondsPath":"$.a[?(@.b)]"})",
       {"INVALID_REFERENCE_PATH /States/A/HeartbeatSecondsPath", "INVALID_PATH /States/A/InputPath",
        "INVALID_PATH /States/A/OutputPath", "INVALID_REFERENCE_PATH /States/A/ResultPath",
        "INVALID_REFERENCE_PATH /States/A/TimeoutSecondsPath"}},
      {"result into the context",
       R"({"Type":"Pass","End":true,"ResultPath":"$$.a"})",
       {"INVALID_REFERENCE_PATH /States/A/ResultPath"}},
      {"result into a variable",
       R"({"Type":"Pass","End":true,"ResultPath":"$v.a"})",
       {"INVALID_REFERENCE_PATH /States/A/ResultPath"}},
      {"types",
       R"({"Type":"Pass","End":true,"ResultPath":1,"InputPath":{}})",
       {"WRONG_TYPE /States/A/InputPath", "WRONG_TYPE /States/A/ResultPath"}},
      {"templates",
       R"j({"Type":"Pass","End":true,"Parameters":{"a.$":"a","b.$":1,"c":[{"d.$":"States.Nothing()"}],
                        "e":{"f.$":"$.f","f":1},"g.$":"States.Format('{}'","h":"$.x","i.$":"$.a[?(@.b)]"}})j",
       {"INVALID_PATH /States/A/Parameters/a.$", "WRONG_TYPE /States/A/Parameters/b.$",
        "INVALID_INTRINSIC /States/A/Parameters/c/0/d.$", "DUPLICATE_FIELD /States/A/Parameters/e/f.$",
        "INVALID_INTRINSIC /States/A/Parameters/g.$", "~NO_DOLLAR /States/A/Parameters/h"}},
      {"error path",
       R"j({"Type":"Fail","ErrorPath":"x","CausePath":"States.Nothing()"})j",
       {"INVALID_INTRINSIC /States/A/CausePath", "INVALID_PATH /States/A/ErrorPath"}},
      {"paths as texts",
       R"j({"Type":"Fail","Error":"$.error","Cause":"States.Format('x')"})j",
       {"~NO_PATH /States/A/Cause", "~NO_PATH /States/A/Error"}},
      {"result",
       R"({"Type":"Pass","End":true,"Result":{"a":[{"b.$":"$.x"}]}})",
       {"~PASS_RESULT_IS_STATIC /States/A/Result/a/0/b.$"}},
  });
  check(
      {{"expressions",
        R"({"Type":"Pass","End":true,"Output":{"a":["{% ( %}"],"b":"x {% 1 %}"},"Assign":{"c":"{% ) %}"}})",
        {"INVALID_JSONATA /States/A/Assign/c", "INVALID_JSONATA /States/A/Output/a/0",
         "~PARTIAL_EXPRESSION /States/A/Output/b"}},
       {"expressions with an end missing, or blanks around them",
        R"({"Type":"Pass","End":true,"Output":{"a":"{% 1","b":"1 %}","c":" {% 1 %}","d":"{% 1 %} ","e":"{1}","f":"%"}})",
        {"~PARTIAL_EXPRESSION /States/A/Output/a", "~PARTIAL_EXPRESSION /States/A/Output/b",
         "~PARTIAL_EXPRESSION /States/A/Output/c", "~PARTIAL_EXPRESSION /States/A/Output/d"}},
       {"$states where it has no result and no error",
        R"({"Type":"Pass","End":true,"Output":{"a":"{% $states . result.x %}","b":"{% $states.results %}",)"
        R"("c":"{% '$states.result' & /* $states.result */ \"$states.result\" %}"},"Assign":{"e":"{% $states.errorOutput %}"}})",
        {"~NOT_IN_STATES /States/A/Assign/e", "~NOT_IN_STATES /States/A/Output/a"}},
       {"$states of a task",
        R"({"Type":"Task","End":true,"Resource":"arn:aws:lambda:x:1:function:f","Arguments":"{% $states.result %}",)"
        R"("Output":"{% $states.result %}","Assign":{"a":"{% [$states.result, $states.errorOutput] %}"},)"
        R"("Catch":[{"ErrorEquals":["States.ALL"],"Next":"A","Output":"{% $states.errorOutput.Error %}",)"
        R"("Assign":{"b":"{% $states.result %}"}}]})",
        {"~NOT_IN_STATES /States/A/Arguments", "~NOT_IN_STATES /States/A/Assign/a",
         "~NOT_IN_STATES /States/A/Catch/0/Assign/b"}},
       {"numbers", R"({"Type":"Wait","End":true,"Seconds":"1"})", {"WRONG_TYPE /States/A/Seconds"}},
       {"resource", R"({"Type":"Task","End":true,"Resource":"{% 'x' %}"})", {"INVALID_RESOURCE /States/A/Resource"}},
       {"items",
        R"({"Type":"Map","End":true,"Items":"x","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}})",
        {"WRONG_TYPE /States/A/Items"}}},
      true);
}

TEST(StatesValidate, ReadsChoiceRules) {
  const auto rules = [](const std::string& rules) {
    return Json::parse(
        R"({"StartAt":"A","States":{"B":{"Type":"Succeed"},"A":{"Type":"Choice","Default":"B","Choices":)" + rules +
        "}}}");
  };
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"[]", {"WRONG_TYPE "}},
      {R"([1])", {"WRONG_TYPE /0"}},
      {R"([{"Next":"B"}])", {"MISSING_FIELD /0"}},
      {R"([{"Variable":"$.a","Next":"B"}])", {"MISSING_FIELD /0"}},
      {R"([{"IsNull":true,"Next":"B"}])", {"MISSING_FIELD /0"}},
      {R"([{"Variable":"a","IsNull":true,"Next":"B"}])", {"INVALID_PATH /0/Variable"}},
      {R"([{"Variable":"$.a","IsNull":"true","Next":"B"}])", {"WRONG_TYPE /0/IsNull"}},
      {R"([{"Variable":"$.a","NumericEquals":"1","Next":"B"}])", {"WRONG_TYPE /0/NumericEquals"}},
      {R"([{"Variable":"$.a","NumericEqualsPath":1,"Next":"B"}])", {"WRONG_TYPE /0/NumericEqualsPath"}},
      {R"([{"Variable":"$.a","NumericEqualsPath":"b","Next":"B"}])", {"INVALID_PATH /0/NumericEqualsPath"}},
      {R"([{"Variable":"$.a","TimestampEquals":"2016-12-05 21:29:29Z","Next":"B"}])",
       {"INVALID_TIMESTAMP /0/TimestampEquals"}},
      {R"([{"Variable":"$.a","StringEquals":"$.b","Next":"B"}])", {"~NO_PATH /0/StringEquals"}},
      {R"([{"Variable":"$.a","IsNull":true,"IsString":true,"Next":"B"}])", {"CONFLICTING_FIELDS /0"}},
      {R"([{"Variable":"$.a","IsObject":true,"Next":"B"}])", {"MISSING_FIELD /0", "UNKNOWN_FIELD /0/IsObject"}},
      {R"([{"And":[],"Next":"B"}])", {"WRONG_TYPE /0/And"}},
      {R"([{"Not":[],"Next":"B"}])", {"WRONG_TYPE /0/Not"}},
      {R"([{"Or":[{"Variable":"$.a","IsNull":true,"Next":"B","Assign":{}}],"Next":"B"}])",
       {"FIELD_NOT_SUPPORTED /0/Or/0/Assign", "FIELD_NOT_SUPPORTED /0/Or/0/Next"}},
      {R"([{"Not":{"Variable":"$.a","IsNull":true},"Variable":"$.b","Next":"B"}])",
       {"FIELD_NOT_SUPPORTED /0/Variable"}},
      {R"([{"Condition":"{% true %}","Next":"B"}])", {"MISSING_FIELD /0", "FIELD_NOT_SUPPORTED /0/Condition"}},
  };
  for (const auto& [source, expected] : cases) {
    std::vector<std::string> findings;
    for (Finding finding : findings_of(rules(source))) {
      ASSERT_EQ(finding.pointer.find("/States/A/Choices"), 0u) << source << finding.pointer;
      finding.pointer.erase(0, 17);
      findings.push_back(short_form({finding}).front());
    }
    EXPECT_EQ(findings, expected) << source;
  }
  check({{"operators",
          R"({"StartAt":"A","States":{"B":{"Type":"Succeed"},"A":{"Type":"Choice","Default":"B",
                           "Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"},{"Condition":"true","Next":"B"}]}}})",
          {"MISSING_FIELD /States/A/Choices/0", "UNKNOWN_FIELD /States/A/Choices/0/IsNull",
           "UNKNOWN_FIELD /States/A/Choices/0/Variable", "WRONG_TYPE /States/A/Choices/1/Condition"}}},
        true);
}

TEST(StatesValidate, ReadsRetryAndCatch) {
  check({
      {"numbers",
       R"({"Type":"Task","Resource":"r","End":true,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":0,
          "MaxAttempts":-1,"BackoffRate":0.9,"MaxDelaySeconds":31622401,"JitterStrategy":"SOME"}]})",
       {"OUT_OF_RANGE /States/A/Retry/0/BackoffRate", "OUT_OF_RANGE /States/A/Retry/0/IntervalSeconds",
        "INVALID_VALUE /States/A/Retry/0/JitterStrategy", "OUT_OF_RANGE /States/A/Retry/0/MaxAttempts",
        "OUT_OF_RANGE /States/A/Retry/0/MaxDelaySeconds"}},
      {"types",
       R"({"Type":"Task","Resource":"r","End":true,"Retry":{},"Catch":[1,{"ErrorEquals":[],"Next":1}]})",
       {"WRONG_TYPE /States/A/Catch/0", "WRONG_TYPE /States/A/Catch/1/ErrorEquals", "WRONG_TYPE /States/A/Catch/1/Next",
        "WRONG_TYPE /States/A/Retry"}},
      {"fractions",
       R"({"Type":"Task","Resource":"r","End":true,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":1.5,
          "MaxAttempts":2.0,"BackoffRate":2}]})",
       {"WRONG_TYPE /States/A/Retry/0/IntervalSeconds"}},
      {"no names",
       R"({"Type":"Task","Resource":"r","End":true,"Retry":[{"MaxAttempts":1}]})",
       {"MISSING_FIELD /States/A/Retry/0"}},
      {"all with others",
       R"({"Type":"Task","Resource":"r","End":true,"Retry":[{"ErrorEquals":["States.ALL","E"]}]})",
       {"STATES_ALL_NOT_ALONE /States/A/Retry/0/ErrorEquals"}},
      {"all first",
       R"({"Type":"Task","Resource":"r","End":true,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"A"},
          {"ErrorEquals":["E"],"Next":"A"}]})",
       {"STATES_ALL_NOT_LAST /States/A/Catch/0/ErrorEquals"}},
      {"names that match nothing",
       R"({"Type":"Task","Resource":"r","End":true,
          "Retry":[{"ErrorEquals":["State.ALL","States.Runtime","States.Foo","States.Http.StatusCode.404","state.all"]}]})",
       {"~MISSPELLED_ERROR_NAME /States/A/Retry/0/ErrorEquals/0", "~UNCATCHABLE_ERROR /States/A/Retry/0/ErrorEquals/1",
        "~UNKNOWN_ERROR_NAME /States/A/Retry/0/ErrorEquals/2",
        "~MISSPELLED_ERROR_NAME /States/A/Retry/0/ErrorEquals/4"}},
      {"fields",
       R"({"Type":"Task","Resource":"r","End":true,"Retry":[{"ErrorEquals":["E"],"Next":"A","MaxAttempt":1}],
          "Catch":[{"ErrorEquals":["E"],"Next":"A","Output":1,"ResultPath":"$.a[*]","Assign":{"1":1}}]})",
       {"INVALID_VARIABLE_NAME /States/A/Catch/0/Assign/1", "FIELD_NOT_SUPPORTED /States/A/Catch/0/Output",
        "INVALID_REFERENCE_PATH /States/A/Catch/0/ResultPath", "UNKNOWN_FIELD /States/A/Retry/0/MaxAttempt",
        "FIELD_NOT_SUPPORTED /States/A/Retry/0/Next"}},
  });
}

TEST(StatesValidate, ChecksRangesAndPairs) {
  check({
      {"timeouts",
       R"({"Type":"Task","Resource":"r","End":true,"TimeoutSeconds":10,"HeartbeatSeconds":10})",
       {"OUT_OF_RANGE /States/A/HeartbeatSeconds"}},
      {"zero",
       R"({"Type":"Task","Resource":"r","End":true,"TimeoutSeconds":0,"HeartbeatSeconds":1e300})",
       {"OUT_OF_RANGE /States/A/HeartbeatSeconds", "OUT_OF_RANGE /States/A/HeartbeatSeconds",
        "OUT_OF_RANGE /States/A/TimeoutSeconds"}},
      {"too long", R"({"Type":"Wait","Seconds":100000000,"End":true})", {"OUT_OF_RANGE /States/A/Seconds"}},
      {"negative", R"({"Type":"Wait","Seconds":-1,"End":true})", {"OUT_OF_RANGE /States/A/Seconds"}},
      {"huge", R"({"Type":"Wait","Seconds":18446744073709551615,"End":true})", {"OUT_OF_RANGE /States/A/Seconds"}},
      {"timestamp",
       R"({"Type":"Wait","Timestamp":"2016-12-05 21:29:29Z","End":true})",
       {"INVALID_TIMESTAMP /States/A/Timestamp"}},
      {"no time", R"({"Type":"Wait","End":true})", {"MISSING_FIELD /States/A"}},
      {"times",
       R"({"Type":"Wait","End":true,"Seconds":1,"SecondsPath":"$.a","Timestamp":"2016-12-05T21:29:29Z","TimestampPath":"$.b"})",
       {"CONFLICTING_FIELDS /States/A/SecondsPath", "CONFLICTING_FIELDS /States/A/Timestamp",
        "CONFLICTING_FIELDS /States/A/TimestampPath"}},
      {"fail",
       R"({"Type":"Fail","Error":"E","ErrorPath":"$.e","Cause":"c","CausePath":"$.c"})",
       {"CONFLICTING_FIELDS /States/A/CausePath", "CONFLICTING_FIELDS /States/A/ErrorPath"}},
      {"task",
       R"({"Type":"Task","Resource":"r","End":true,"TimeoutSeconds":10,"TimeoutSecondsPath":"$.a",
                   "HeartbeatSeconds":1,"HeartbeatSecondsPath":"$.a"})",
       {"CONFLICTING_FIELDS /States/A/HeartbeatSecondsPath", "CONFLICTING_FIELDS /States/A/TimeoutSecondsPath"}},
  });
}

TEST(StatesValidate, ReadsMaps) {
  const std::string inner = R"("StartAt":"B","States":{"B":{"Type":"Succeed"}})";
  const std::string distributed = R"("ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},)" + inner + "}";
  const std::pair<std::string, std::vector<std::string>> cases[] = {
      {R"("Comment":"")", {"MISSING_FIELD "}},
      {R"("ItemProcessor":{)" + inner + R"(},"Iterator":{"StartAt":"C","States":{"C":{"Type":"Succeed"}}})",
       {"CONFLICTING_FIELDS /Iterator"}},
      {R"("ItemProcessor":{"ProcessorConfig":{"Mode":"REMOTE","ExecutionType":"FAST","Size":1},)" + inner + "}",
       {"INVALID_VALUE /ItemProcessor/ProcessorConfig/ExecutionType",
        "INVALID_VALUE /ItemProcessor/ProcessorConfig/Mode", "UNKNOWN_FIELD /ItemProcessor/ProcessorConfig/Size"}},
      {R"("ItemProcessor":{)" + inner + R"(},"Label":"x","ToleratedFailureCount":1,"ItemReader":{"Resource":"r"})",
       {"FIELD_NOT_SUPPORTED /ItemReader", "~NOT_SUPPORTED /ItemReader", "FIELD_NOT_SUPPORTED /Label",
        "~NO_EFFECT /ToleratedFailureCount"}},
      {distributed + R"(,"ToleratedFailureCount":-1,"ToleratedFailurePercentage":100.1,"MaxConcurrency":-1)",
       {"OUT_OF_RANGE /MaxConcurrency", "OUT_OF_RANGE /ToleratedFailureCount",
        "OUT_OF_RANGE /ToleratedFailurePercentage"}},
      {distributed +
           R"(,"ToleratedFailurePercentage":1.1,"ToleratedFailurePercentagePath":"$.a","Parameters":{},"ItemSelector":{})",
       {"CONFLICTING_FIELDS /Parameters", "CONFLICTING_FIELDS /ToleratedFailurePercentagePath"}},
      {distributed + R"(,"ItemsPath":"$.a[*]","ItemBatcher":{},"ItemReader":{"Arguments":1},"ResultWriter":{"Foo":1})",
       {"MISSING_FIELD /ItemBatcher", "MISSING_FIELD /ItemReader", "~NOT_SUPPORTED /ItemReader",
        "FIELD_NOT_SUPPORTED /ItemReader/Arguments", "INVALID_REFERENCE_PATH /ItemsPath",
        "UNKNOWN_FIELD /ResultWriter/Foo"}},
      {distributed +
           R"(,"ItemBatcher":{"MaxItemsPerBatch":0,"MaxItemsPerBatchPath":"$.a","MaxInputBytesPerBatch":262145})",
       {"OUT_OF_RANGE /ItemBatcher/MaxInputBytesPerBatch", "OUT_OF_RANGE /ItemBatcher/MaxItemsPerBatch",
        "CONFLICTING_FIELDS /ItemBatcher/MaxItemsPerBatchPath"}},
  };
  for (const auto& [fields, expected] : cases) {
    const Json state = Json::parse(R"({"Type":"Map","End":true,)" + fields + "}", nullptr, false);
    ASSERT_TRUE(state.is_object()) << fields;
    std::vector<std::string> findings;
    for (Finding finding : findings_of(machine(state))) {
      ASSERT_EQ(finding.pointer.find("/States/A"), 0u) << fields << finding.pointer;
      finding.pointer.erase(0, 9);
      findings.push_back(short_form({finding}).front());
    }
    EXPECT_EQ(findings, expected) << fields;
  }
}

TEST(StatesValidate, RefusesCharactersInLabels) {
  const auto of_label = [](const std::string& label) {
    Json state = Json::parse(R"({"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},
                                 "StartAt":"B","States":{"B":{"Type":"Succeed"}}}})");
    state["Label"] = label;
    return short_form(findings_of(machine(state)));
  };
  const std::vector<std::string> refused = {"INVALID_LABEL /States/A/Label"};
  for (const char c : std::string_view(" <>{}[]?*\"#%\\^|~`$&,;:/\x7F\t\n\0", 28)) {
    EXPECT_EQ(of_label(std::string("a") + c), refused) << c;
  }
  EXPECT_EQ(of_label("\u0085"), refused);
  EXPECT_EQ(of_label(""), refused);
  EXPECT_EQ(of_label(std::string(41, 'a')), refused);
  EXPECT_EQ(of_label(std::string(40, 'a')), std::vector<std::string>{});
  EXPECT_EQ(of_label("Ab1-_.+=@()!'\u00e4\u4e2d"), std::vector<std::string>{});
}

TEST(StatesValidate, ChecksNames) {
  const auto of_name = [](const std::string& name) {
    return short_form(findings_of({{"StartAt", name}, {"States", {{name, {{"Type", "Succeed"}}}}}}));
  };
  std::string umlauts;
  for (int i = 0; i < 80; ++i) umlauts += "\u00e4";
  EXPECT_EQ(of_name(umlauts), std::vector<std::string>{});
  EXPECT_EQ(of_name("a/b~c d.$"), std::vector<std::string>{});
  EXPECT_EQ(of_name(std::string(81, 'a')),
            std::vector<std::string>{"INVALID_STATE_NAME /States/" + std::string(81, 'a')});
  EXPECT_EQ(of_name(""), std::vector<std::string>{"INVALID_STATE_NAME /States/"});

  const auto of_variable = [](const std::string& name) {
    return short_form(findings_of(machine({{"Type", "Pass"}, {"End", true}, {"Assign", {{name, 1}}}})));
  };
  for (const std::string name : {"a", "A1", "a_b", "\u00e4", "\u4e2d\u6587", "\U00020000"}) {
    EXPECT_EQ(of_variable(name), std::vector<std::string>{}) << name;
  }
  for (const std::string name : {"", "1", "a-b", "a b", "a.b", "$a", "states", "a\u2028", "\U0001F600", "a+"}) {
    EXPECT_EQ(of_variable(name), std::vector<std::string>{"INVALID_VARIABLE_NAME /States/A/Assign/" + name}) << name;
  }
  EXPECT_EQ(of_variable(std::string(80, 'a')), std::vector<std::string>{});
  EXPECT_EQ(of_variable(std::string(81, 'a')).size(), 1u);
}

TEST(StatesValidate, KeepsVariablesOfOuterScopes) {
  check({
      {"inner",
       R"({"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"x":1},"Next":"P"},
          "P":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","End":true,
              "Assign":{"x.$":"$.a","y":1}}}}]}}})",
       {"VARIABLE_OF_OUTER_SCOPE /States/P/Branches/0/States/B/Assign/x.$"}},
      {"of catchers and rules",
       R"({"StartAt":"A","States":{
          "A":{"Type":"Choice","Default":"M","Choices":[{"Variable":"$.a","IsNull":true,"Next":"M","Assign":{"r":1}}]},
          "M":{"Type":"Map","End":true,"Catch":[{"ErrorEquals":["E"],"Next":"M","Assign":{"c":1}}],"ItemProcessor":{
              "StartAt":"B","States":{"B":{"Type":"Pass","End":true,"Assign":{"c":1,"r":1}}}}}}})",
       {"VARIABLE_OF_OUTER_SCOPE /States/M/ItemProcessor/States/B/Assign/c",
        "VARIABLE_OF_OUTER_SCOPE /States/M/ItemProcessor/States/B/Assign/r"}},
      {"of a sibling",
       R"({"Type":"Parallel","End":true,"Branches":[
          {"StartAt":"B","States":{"B":{"Type":"Pass","End":true,"Assign":{"x":1}}}},
          {"StartAt":"C","States":{"C":{"Type":"Pass","End":true,"Assign":{"x":1}}}}]})",
       {}},
  });
}

TEST(StatesValidate, AsksAboutResources) {
  struct Known : Resources {
    std::optional<std::string> problem(const std::string& resource) const override {
      if (resource == "known") return std::nullopt;
      return "nothing does the work of \"" + resource + "\"";
    }
  };
  const Known known;
  const auto ask = [&](const char* resource) {
    return validate(machine({{"Type", "Task"}, {"End", true}, {"Resource", resource}}), engine(), &known);
  };
  EXPECT_TRUE(ask("known").empty());
  const auto findings = ask("unknown");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "INVALID_RESOURCE");
  EXPECT_EQ(findings[0].pointer, "/States/A/Resource");
  EXPECT_EQ(findings[0].message, "nothing does the work of \"unknown\"");
}

TEST(StatesValidate, SumsUpWhatIsTooMuch) {
  Json definition = machine({{"Type", "Pass"}, {"End", true}});
  for (int i = 0; i < 250; ++i) definition["States"]["A"]["field " + std::to_string(i)] = 1;
  definition["States"]["A"]["Parameters"] = {{"a", "$.a"}};
  const auto findings = findings_of(definition);
  ASSERT_EQ(findings.size(), 101u);
  EXPECT_EQ(findings.back().code, "MORE_FINDINGS");
  EXPECT_EQ(findings.back().severity, Severity::kError);
  EXPECT_EQ(findings.back().message, "there are 150 more errors and 1 more warnings");
}

}  // namespace
}  // namespace etl::states
