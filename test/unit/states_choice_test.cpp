#include "states/choice.h"

#include <gtest/gtest.h>

#include <limits>

namespace etl::states {
namespace {

const Json kNothing = Json::object();

bool holds(const Json& rule, const Json& input) {
  ChoiceRule choice;
  choice.test = parse_test(rule);
  return choice.holds({input, kNothing, kNothing});
}

// A rule that compares $.v with an operand.
bool holds(const char* comparison, const Json& operand, const Json& value) {
  return holds({{"Variable", "$.v"}, {comparison, operand}}, {{"v", value}});
}

TEST(StatesChoice, KnowsTheOperators) {
  for (const char* kind : {"String", "Numeric", "Timestamp"}) {
    for (const char* relation : {"Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"}) {
      for (const char* path : {"", "Path"}) {
        EXPECT_TRUE(find_comparison(std::string(kind) + relation + path)) << kind << relation << path;
      }
    }
  }
  for (const char* name : {"StringMatches", "BooleanEquals", "BooleanEqualsPath", "IsNull", "IsPresent", "IsNumeric",
                           "IsString", "IsBoolean", "IsTimestamp"}) {
    EXPECT_TRUE(find_comparison(name)) << name;
  }
  for (const char* name :
       {"", "Path", "String", "StringPath", "StringMatchesPath", "BooleanLessThan", "IsNullPath", "stringEquals",
        "StringEqualsPathPath", "StringEqual", "NumericMatches", "And", "Variable", "IsObject", "EqualsString"}) {
    EXPECT_FALSE(find_comparison(name)) << name;
  }
}

TEST(StatesChoice, ComparesValuesOfTheOperatorsTypeOnly) {
  const Json values = {
      nullptr, true, 42, 42.0, "42", "true", "", Json::array({42}), {{"a", 42}}, "2012-10-09T19:00:55Z"};
  for (const Json& value : values) {
    EXPECT_EQ(holds("NumericEquals", 42, value), value.is_number()) << value;
    EXPECT_EQ(holds("NumericLessThanEquals", 42, value), value.is_number()) << value;
    EXPECT_EQ(holds("StringEquals", "42", value), value == "42") << value;
    EXPECT_EQ(holds("BooleanEquals", true, value), value == true) << value;
    EXPECT_FALSE(holds("BooleanEquals", false, value)) << value;
    EXPECT_EQ(holds("TimestampEquals", "2012-10-09T19:00:55Z", value), value == "2012-10-09T19:00:55Z") << value;
  }
}

TEST(StatesChoice, ComparesNumbersExactly) {
  EXPECT_TRUE(holds("NumericEquals", 0, 0.0));
  EXPECT_TRUE(holds("NumericEquals", 0, -0.0));
  EXPECT_TRUE(holds("NumericEquals", 1.0, 1));
  EXPECT_TRUE(holds("NumericLessThan", 1.5, 1));
  EXPECT_TRUE(holds("NumericLessThan", -1, -1.5));
  EXPECT_TRUE(holds("NumericGreaterThan", -1.5, -1));
  // As doubles these would be equal.
  const int64_t big = 9'007'199'254'740'993;
  EXPECT_FALSE(holds("NumericEquals", 9'007'199'254'740'992.0, big));
  EXPECT_TRUE(holds("NumericGreaterThan", 9'007'199'254'740'992.0, big));
  EXPECT_FALSE(holds("NumericEquals", big, big + 1));
  const auto most = std::numeric_limits<uint64_t>::max();
  EXPECT_TRUE(holds("NumericLessThan", 0x1p64, most));
  EXPECT_TRUE(holds("NumericGreaterThan", -1, most));
  EXPECT_TRUE(holds("NumericLessThan", most, std::numeric_limits<int64_t>::min()));
  EXPECT_TRUE(holds("NumericEquals", -0x1p63, std::numeric_limits<int64_t>::min()));
  EXPECT_TRUE(holds("NumericGreaterThan", -1e300, std::numeric_limits<int64_t>::min()));
  EXPECT_TRUE(holds("NumericLessThan", 1e300, most));
}

TEST(StatesChoice, OrdersStringsByCodeUnit) {
  EXPECT_TRUE(holds("StringLessThan", "B", "A"));
  EXPECT_TRUE(holds("StringLessThan", "a", "B"));
  EXPECT_TRUE(holds("StringLessThan", "AB", "A"));
  EXPECT_TRUE(holds("StringGreaterThan", "", "A"));
  EXPECT_FALSE(holds("StringLessThan", "A", "A"));
  EXPECT_TRUE(holds("StringLessThanEquals", "A", "A"));
  EXPECT_TRUE(holds("StringGreaterThanEquals", "\u00e4", "\u00e4"));
  EXPECT_FALSE(holds("StringEquals", "a\u0308", "\u00e4"));
  // U+1F600 is D83D DE00 in code units: before U+FFFD, though its code point and its bytes are behind.
  EXPECT_TRUE(holds("StringLessThan", "\uFFFD", "\U0001F600"));
  EXPECT_TRUE(holds("StringLessThan", "\uE000", "\U0010FFFF"));
  EXPECT_TRUE(holds("StringGreaterThan", "\uD7FF", "\U0001F600"));
  EXPECT_TRUE(holds("StringGreaterThan", "\U0001F600", "\U0001F601"));
}

TEST(StatesChoice, ComparesTimesAsMoments) {
  EXPECT_TRUE(holds("TimestampEquals", "2012-10-09T19:00:55Z", "2012-10-09T20:00:55+01:00"));
  EXPECT_TRUE(holds("TimestampEquals", "2012-10-09T19:00:55Z", "2012-10-09T19:00:55.000000000Z"));
  EXPECT_TRUE(holds("TimestampLessThan", "9999-01-01T00:00:00Z", "9998-01-01T00:00:00Z"));
  EXPECT_TRUE(holds("TimestampGreaterThan", "2012-10-09T19:00:55Z", "2012-10-09T19:00:55.000000001Z"));
  EXPECT_FALSE(holds("TimestampEquals", "2012-10-09T19:00:55Z", "2012-10-09T19:00:55"));
  EXPECT_FALSE(holds("TimestampGreaterThan", "2012-10-09T19:00:55Z", "2023-02-24"));
  EXPECT_FALSE(holds("TimestampLessThan", "2012-10-09T19:00:55Z", "2023-02-24"));
}

TEST(StatesChoice, TellsTheTypesOfValues) {
  const std::pair<const char*, Json> samples[] = {
      {"IsNull", nullptr}, {"IsNumeric", 1.5}, {"IsBoolean", false}, {"IsString", "x"}};
  for (const auto& [own, value] : samples) {
    for (const auto& [name, other] : samples) {
      const bool is_its = std::string_view(own) == name;
      EXPECT_EQ(holds(name, true, value), is_its) << name << value;
      EXPECT_EQ(holds(name, false, value), !is_its) << name << value;
    }
    EXPECT_TRUE(holds("IsPresent", true, value)) << value;
    EXPECT_FALSE(holds("IsPresent", false, value)) << value;
  }
  EXPECT_TRUE(holds("IsTimestamp", true, "2012-10-09T19:00:55Z"));
  EXPECT_TRUE(holds("IsTimestamp", false, "2012-10-09"));
  EXPECT_TRUE(holds("IsTimestamp", false, 1));
}

TEST(StatesChoice, RaisesWhereAVariableIsMissing) {
  const Json empty = Json::object();
  EXPECT_FALSE(holds({{"Variable", "$.v"}, {"IsPresent", true}}, empty));
  EXPECT_TRUE(holds({{"Variable", "$.v"}, {"IsPresent", false}}, empty));
  const Json rules = {{{"Variable", "$.v"}, {"StringEquals", "a"}},
                      {{"Variable", "$.v"}, {"IsNull", true}},
                      {{"Variable", "$.v"}, {"IsString", false}},
                      {{"Variable", "$"}, {"StringEqualsPath", "$.v"}}};
  for (const Json& rule : rules) {
    try {
      holds(rule, empty);
      ADD_FAILURE() << rule;
    } catch (const StateError& error) {
      EXPECT_EQ(error.failure().error, errors::kRuntime);
      EXPECT_EQ(error.failure().cause,
                "Invalid path '$.v': The choice state's condition path references an invalid value.");
    }
  }
}

TEST(StatesChoice, ComparesWithPaths) {
  const Json input = {{"a", 1}, {"b", 1.0}, {"c", "x"}, {"d", true}, {"t", "2012-10-09T19:00:55Z"}};
  EXPECT_TRUE(holds({{"Variable", "$.a"}, {"NumericEqualsPath", "$.b"}}, input));
  EXPECT_FALSE(holds({{"Variable", "$.a"}, {"NumericEqualsPath", "$.c"}}, input));
  EXPECT_TRUE(holds({{"Variable", "$.c"}, {"StringGreaterThanEqualsPath", "$.c"}}, input));
  EXPECT_TRUE(holds({{"Variable", "$.d"}, {"BooleanEqualsPath", "$.d"}}, input));
  EXPECT_TRUE(holds({{"Variable", "$.t"}, {"TimestampLessThanEqualsPath", "$.t"}}, input));
  EXPECT_FALSE(holds({{"Variable", "$.t"}, {"TimestampLessThanEqualsPath", "$.c"}}, input));

  ChoiceRule rule;
  rule.test = parse_test({{"Variable", "$guess"}, {"StringEqualsPath", "$$.Answer"}});
  EXPECT_TRUE(rule.holds({kNothing, {{"Answer", "x"}}, {{"guess", "x"}}}));
}

TEST(StatesChoice, CombinesRules) {
  const Json yes = {{"Variable", "$.v"}, {"IsNumeric", true}};
  const Json no = {{"Variable", "$.v"}, {"IsNumeric", false}};
  const Json missing = {{"Variable", "$.w"}, {"IsNumeric", true}};
  const Json input = {{"v", 1}};
  EXPECT_TRUE(holds({{"And", {yes, yes}}}, input));
  EXPECT_FALSE(holds({{"And", {yes, no}}}, input));
  EXPECT_TRUE(holds({{"Or", {no, yes}}}, input));
  EXPECT_FALSE(holds({{"Or", {no, no}}}, input));
  EXPECT_TRUE(holds({{"Not", no}}, input));
  EXPECT_FALSE(holds({{"Not", yes}}, input));
  EXPECT_TRUE(holds({{"Not", {{"And", {yes, {{"Or", {no, {{"Not", yes}}}}}}}}}}, input));
  // What is decided is not looked at further: the usual guard with IsPresent.
  EXPECT_FALSE(holds({{"And", {no, missing}}}, input));
  EXPECT_TRUE(holds({{"Or", {yes, missing}}}, input));
  EXPECT_THROW(holds({{"And", {yes, missing}}}, input), StateError);
}

TEST(StatesChoice, MatchesPatterns) {
  EXPECT_TRUE(matches("log-2024.txt", "log-*.txt"));
  EXPECT_FALSE(matches("log-2024.txt.gz", "log-*.txt"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_TRUE(matches("", "*"));
  EXPECT_TRUE(matches("", "***"));
  EXPECT_FALSE(matches("a", ""));
  EXPECT_TRUE(matches("abcabc", "*abc"));
  EXPECT_TRUE(matches("abab", "ab*ab"));
  EXPECT_FALSE(matches("aba", "ab*ba"));
  EXPECT_TRUE(matches("aXbXc", "a*X*c"));
  EXPECT_FALSE(matches("ac", "a*X*c"));
  EXPECT_TRUE(matches("a*b", R"(a\*b)"));
  EXPECT_FALSE(matches("axb", R"(a\*b)"));
  EXPECT_TRUE(matches(R"(a\b)", R"(a\\b)"));
  EXPECT_TRUE(matches(R"(a\anything)", R"(a\\*)"));
  EXPECT_FALSE(matches("aanything", R"(a\\*)"));
  EXPECT_TRUE(matches("a?c", "a?c"));
  EXPECT_FALSE(matches("abc", "a?c"));
  EXPECT_TRUE(matches("käse", "k*se"));
  EXPECT_TRUE(holds("StringMatches", "a*", "abc"));
  EXPECT_FALSE(holds("StringMatches", "1*", 12));
}

TEST(StatesChoice, MatchesInLinearTime) {
  const std::string text(1'000'000, 'a');
  std::string stars;
  for (int i = 0; i < 1'000; ++i) stars += "a*";
  EXPECT_FALSE(matches(text, stars + "b"));
  EXPECT_TRUE(matches(text, stars));
  const std::string half = std::string(300'000, 'a') + "b";
  EXPECT_FALSE(matches(text, "*" + half + "*"));
}

TEST(StatesChoice, RefusesWhatIsNoRule) {
  const Json variable = {{"Variable", "$.v"}};
  EXPECT_THROW(parse_test(variable), std::invalid_argument);
  EXPECT_THROW(parse_test({{"IsNull", true}}), std::invalid_argument);
  EXPECT_THROW(parse_test({{"Variable", "$.v"}, {"IsNull", "true"}}), std::invalid_argument);
  EXPECT_THROW(parse_test({{"Variable", "$.v"}, {"NumericEquals", "1"}}), std::invalid_argument);
  EXPECT_THROW(parse_test({{"Variable", "$.v"}, {"TimestampEquals", "2012-10-09"}}), std::invalid_argument);
  EXPECT_THROW(parse_test({{"Variable", "$.v"}, {"IsNull", true}, {"IsString", true}}), std::invalid_argument);
  EXPECT_THROW(parse_test({{"And", Json::array()}}), std::invalid_argument);
  EXPECT_THROW(parse_test({{"Or", true}}), std::invalid_argument);
  EXPECT_THROW(parse_test({{"Not", Json::array()}}), std::invalid_argument);
  EXPECT_THROW(parse_test("x"), std::invalid_argument);
  EXPECT_THROW(parse_test({{"Variable", "v"}, {"IsNull", true}}), PathSyntaxError);
}

}  // namespace
}  // namespace etl::states
