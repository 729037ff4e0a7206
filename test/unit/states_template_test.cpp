#include "states/template.h"

#include <gtest/gtest.h>

#include "states_values.h"

namespace etl::states {
namespace {

Json evaluate(const std::string& source, const Sight& sight) {
  CountingEntropy entropy;
  return Template::parse(value_of(source)).evaluate(sight.scope(), entropy);
}

const Sight kSight{value_of("{'a':1,'list':[1,2],'o':{'x':null}}"), value_of("{'State':{'Name':'Here'}}"),
                   value_of("{'v':[true]}")};

TEST(StatesTemplate, FillsFieldsAtAnyDepth) {
  const char* source = R"json({
    "one.$": "$.a", "all.$": "$", "name.$": "$$.State.Name", "v.$": "$v[0]",
    "text": "$.a", "States": "States.UUID()", "number": 1.5,
    "inner": {"list.$": "$.list", "const": [1, {"x.$": "$.o.x"}, [{"y.$": "States.Format('<{}>', $.a)"}]]}})json";
  const char* expected = R"json({
    "one": 1, "all": {"a": 1, "list": [1, 2], "o": {"x": null}}, "name": "Here", "v": true,
    "text": "$.a", "States": "States.UUID()", "number": 1.5,
    "inner": {"list": [1, 2], "const": [1, {"x": null}, [{"y": "<1>"}]]}})json";
  EXPECT_EQ(evaluate(source, kSight), value_of(expected));
}

TEST(StatesTemplate, LeavesAloneWhatIsConstant) {
  for (const char* source :
       {"{}", "[]", "1", "null", "'$.a'", "{'a':{'b':['$.a','$$','States.UUID()',{}]}}", "{'$':1,'a.$b':2}"}) {
    EXPECT_EQ(evaluate(source, kSight), value_of(source)) << source;
  }
}

TEST(StatesTemplate, DoesNotLookIntoWhatItFillsIn) {
  const Sight sight{value_of("{'a':{'x.$':'$.a'}}")};
  EXPECT_EQ(evaluate("{'b.$':'$.a'}", sight), value_of("{'b':{'x.$':'$.a'}}"));
}

TEST(StatesTemplate, GivesNullBeyondTheEndOfAnArray) {
  EXPECT_EQ(evaluate("{'x.$':'$.list[5]'}", kSight), value_of("{'x':null}"));
}

TEST(StatesTemplate, GivesAnEmptyArrayWhereNothingMatches) {
  EXPECT_EQ(evaluate("{'x.$':'$.no.such[*]'}", kSight), value_of("{'x':[]}"));
}

TEST(StatesTemplate, NamesTheFieldThatFails) {
  const Sight sight{value_of("{'other':1}"), value_of("{'State':{}}"), Json::object()};
  EXPECT_EQ(
      failure_of([&] { evaluate("{'in':{'missing.$':'$.nope.deep'}}", sight); }),
      "States.Runtime: The JSONPath '$.nope.deep' specified for the field 'missing.$' could not be found in the input "
      "'{\"other\":1}'");
  EXPECT_EQ(
      failure_of([&] { evaluate("{'missing.$':'$$.Nope'}", sight); }),
      "States.Runtime: The JSONPath '$$.Nope' specified for the field 'missing.$' could not be found in the input "
      "'{\"State\":{}}'");
  EXPECT_NE(failure_of([&] { evaluate("{'missing.$':'$nope'}", sight); }), "");
  EXPECT_TRUE(
      failure_of([&] { evaluate("{'a.$':'States.ArrayLength($)'}", sight); }).starts_with("States.IntrinsicFailure: "));
}

TEST(StatesTemplate, SaysWhereItIsWrong) {
  const auto problem = [](const char* source) -> std::string {
    try {
      Template::parse(value_of(source));
    } catch (const PathSyntaxError& error) {
      return error.what();
    } catch (const IntrinsicSyntaxError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(problem("{'a.$':1}"), "/a.$: must be a path or an intrinsic function");
  EXPECT_EQ(problem("{'a.$':{}}"), "/a.$: must be a path or an intrinsic function");
  EXPECT_EQ(problem("{'a.$':'$.b','a':1}"), "/a.$: there is also a field \"a\"");
  EXPECT_TRUE(problem("{'x':[1,{'a.$':'b'}]}").starts_with("/x/1/a.$: invalid path \"b\""));
  EXPECT_TRUE(problem("{'x/y':{'~.$':'States.No()'}}").starts_with("/x~1y/~0.$: invalid intrinsic function"));
}

TEST(StatesTemplate, BoundsWhatItMakes) {
  Json source = Json::object();
  for (int i = 0; i < 2'000; ++i) source["f" + std::to_string(i) + ".$"] = "$";
  const Sight sight{Json(std::string(200'000, 'x'))};
  CountingEntropy entropy;
  EXPECT_TRUE(failure_of([&] {
                Template::parse(source).evaluate(sight.scope(), entropy);
              }).starts_with("States.DataLimitExceeded: "));
  Json deep = Json{{"x.$", "$"}};
  for (int i = 0; i < kDeepestJson; ++i) deep = Json::array({std::move(deep)});
  EXPECT_THROW(Template::parse(deep), PathSyntaxError);
  deep = Json{{"x.$", "$"}};
  for (int i = 0; i < kDeepestJson - 1; ++i) deep = Json::array({std::move(deep)});
  EXPECT_EQ(extent(Template::parse(deep).evaluate(sight.scope(), entropy)).depth, kDeepestJson);
}

TEST(StatesExpression, IsAPathOrAFunction) {
  CountingEntropy entropy;
  EXPECT_EQ(Expression::parse("$.a").evaluate("Field", kSight.scope(), entropy), 1);
  EXPECT_EQ(Expression::parse("States.MathAdd($.a, 1)").evaluate("Field", kSight.scope(), entropy), 2);
  EXPECT_THROW(Expression::parse("a"), PathSyntaxError);
  EXPECT_THROW(Expression::parse("States.a"), IntrinsicSyntaxError);
  EXPECT_EQ(failure_of([&] { Expression::parse("$.x").evaluate("Field", kSight.scope(), entropy); }),
            "States.Runtime: The JSONPath '$.x' specified for the field 'Field' could not be found in the input "
            "'{\"a\":1,\"list\":[1,2],\"o\":{\"x\":null}}'");
}

}  // namespace
}  // namespace etl::states
