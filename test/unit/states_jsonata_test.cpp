#include "states/jsonata.h"

#include <gtest/gtest.h>

namespace etl::states {
namespace {

using namespace std::chrono_literals;
using Kind = JsonataResult::Kind;

class Counting : public Entropy {
 public:
  uint64_t next() override { return ++count_ * 0x9e3779b97f4a7c15; }

 private:
  uint64_t count_ = 0;
};

class Jsonata : public testing::Test {
 protected:
  JsonataResult evaluate(const std::string& expression) {
    return engine.evaluate(expression, states, variables, entropy);
  }

  // The value as text; "undefined", "unsupported", or the error.
  std::string value(const std::string& expression) {
    try {
      const JsonataResult result = evaluate(expression);
      if (result.kind == Kind::kUndefined) return "undefined";
      if (result.kind == Kind::kUnsupported) return "unsupported";
      return compact(result.value);
    } catch (const JsonataError& error) {
      return error.code() + ": " + error.what();
    }
  }

  static std::string compact(const Json& json) { return json.dump(); }

  JsonataEngine engine{{.time = 60s}};  // what is tested ends by itself, also under a sanitizer
  Counting entropy;
  Json states = Json::parse(R"({
    "input": {"a": 1, "text": "hello", "items": [{"p": 2, "q": "x"}, {"p": 4, "q": "y"}], "none": null, "empty": []},
    "context": {"State": {"Name": "S"}}})");
  Json variables = Json::parse(R"({"n": 5, "list": [1, 2, 3], "hasOwnProperty": 7, "päth": "ü"})");
};

TEST_F(Jsonata, ReadsStatesAndVariables) {
  EXPECT_EQ(value("$states.input.a"), "1");
  EXPECT_EQ(value("$states.context.State.Name"), "\"S\"");
  EXPECT_EQ(value("$n + $sum($list)"), "11");
  EXPECT_EQ(value("$hasOwnProperty"), "7");
  EXPECT_EQ(value("$päth"), "\"ü\"");
  EXPECT_EQ(value("$states.input.none"), "null");
}

TEST_F(Jsonata, HasNoInputDocument) {
  EXPECT_EQ(value("$"), "undefined");
  EXPECT_EQ(value("$$"), "undefined");
  EXPECT_EQ(value("input"), "undefined");
}

TEST_F(Jsonata, GivesNothingForWhatIsMissing) {
  EXPECT_EQ(value("$missing"), "undefined");
  EXPECT_EQ(value("$states.input.a.b.c"), "undefined");
  EXPECT_EQ(value("$states.input.items[5]"), "undefined");
  EXPECT_EQ(value("$states.result"), "undefined");
}

TEST_F(Jsonata, SeesOnlyWhatObjectsHaveThemselves) {
  EXPECT_EQ(value("$states.input.constructor"), "undefined");
  EXPECT_EQ(value("$states.input.toString"), "undefined");
  EXPECT_EQ(value("$states.input.__proto__"), "undefined");
  EXPECT_EQ(value("$states.input.items.length"), "undefined");
  EXPECT_EQ(value("$sum.implementation"), "undefined");
  EXPECT_EQ(value("$constructor"), "undefined");
}

TEST_F(Jsonata, KeepsNamesThatMeanSomethingToObjects) {
  states = Json::parse(R"({"input": {"__proto__": {"a": 1}, "constructor": 2, "hasOwnProperty": 3, "length": 4}})");
  EXPECT_EQ(value("$states.input"), R"({"__proto__":{"a":1},"constructor":2,"hasOwnProperty":3,"length":4})");
  EXPECT_EQ(value("$states.input.__proto__.a"), "1");
  EXPECT_EQ(value(R"({"hasOwnProperty": 1, "__proto__": {"b": 2}, "toString": 3})"),
            R"({"__proto__":{"b":2},"hasOwnProperty":1,"toString":3})");
}

TEST_F(Jsonata, TakesOneItemOfASequenceForItself) {
  EXPECT_EQ(value("$states.input.items.p"), "[2,4]");
  EXPECT_EQ(value("$states.input.items[p > 2].p"), "4");
  EXPECT_EQ(value("$states.input.items[p > 2].p[]"), "[4]");
  EXPECT_EQ(value("[$states.input.items[p > 2].p]"), "[4]");
  EXPECT_EQ(value("$states.input.items[p > 9]"), "undefined");
  EXPECT_EQ(value("$states.input.empty"), "[]");
  EXPECT_EQ(value("$states.input.items[-1].q"), "\"y\"");
}

TEST_F(Jsonata, EvaluatesPathsOfEachForm) {
  EXPECT_EQ(value("$states.input.items^(>p).q"), R"(["y","x"])");
  EXPECT_EQ(value("$states.input.items{q: p}"), R"({"x":2,"y":4})");
  EXPECT_EQ(value("$states.input.items.{\"v\": p}"), R"([{"v":2},{"v":4}])");
  EXPECT_EQ(value("$sum($states.input.**.p)"), "6");
  EXPECT_EQ(value("$states.input.items#$i.($i)"), "[0,1]");
  EXPECT_EQ(value("$states.input.items@$v.($v.p)"), "[2,4]");
  EXPECT_EQ(value("$states.input.items.*"), R"([2,"x",4,"y"])");
  EXPECT_EQ(value("$states.input.items.[p, q]"), R"([[2,"x"],[4,"y"]])");
  EXPECT_EQ(value("$states.input.items.(p * %.a)"), "[2,4]");
  EXPECT_EQ(value("$states.input.`text`"), "\"hello\"");
}

TEST_F(Jsonata, EvaluatesOperators) {
  EXPECT_EQ(value("1 + 2 * 3 - 4 / 2"), "5");
  EXPECT_EQ(value("7 % 4"), "3");
  EXPECT_EQ(value("'a' & 1 & true"), "\"a1true\"");
  EXPECT_EQ(value("1 in [1, 2] and $not(2 > 3)"), "true");
  EXPECT_EQ(value("$states.input.a = 1 ? 'yes' : 'no'"), "\"yes\"");
  EXPECT_EQ(value("[1..4]"), "[1,2,3,4]");
  EXPECT_EQ(value("{'a': 1} = {'a': 1}"), "true");
  EXPECT_EQ(value("-$n"), "-5");
  EXPECT_EQ(value("$states.input ~> |items|{'p': p + 1}|"),
            compact(Json::parse(
                R"({"a":1,"empty":[],"items":[{"p":3,"q":"x"},{"p":5,"q":"y"}],"none":null,"text":"hello"})")));
}

TEST_F(Jsonata, CallsFunctionsOfHigherOrder) {
  EXPECT_EQ(value("$map([1, 2, 3], function($x) { $x * $x })"), "[1,4,9]");
  EXPECT_EQ(value("$filter([1, 2, 3], function($x, $i, $all) { $x < $count($all) })"), "[1,2]");
  EXPECT_EQ(value("$reduce([1, 2, 3], function($a, $b) { $a + $b }, 10)"), "16");
  EXPECT_EQ(value("$sort([3, 1, 2], function($a, $b) { $a < $b })"), "[3,2,1]");
  EXPECT_EQ(value("$single([1, 2], function($x) { $x = 2 })"), "2");
  EXPECT_EQ(value("$sift({'a': 1, 'b': 2}, function($v, $k) { $k = 'b' })"), R"({"b":2})");
  EXPECT_EQ(value("$each({'a': 1, 'b': 2}, function($v, $k) { $k & $v })"), R"(["a1","b2"])");
  EXPECT_EQ(value("$map(['a', 'b'], $uppercase)"), R"(["A","B"])");
  EXPECT_EQ(value("$substring(?, 0, 2)('hello')"), "\"he\"");
  EXPECT_EQ(value("($add := function($x, $y) { $x + $y }; $inc := $add(1, ?); $inc(4))"), "5");
  EXPECT_EQ(value("' a ' ~> $trim ~> $uppercase"), "\"A\"");
  EXPECT_EQ(value("($f := $trim ~> $length; $f(' ab '))"), "2");
  EXPECT_EQ(value("($fib := function($n) { $n < 2 ? $n : $fib($n - 1) + $fib($n - 2) }; $fib(10))"), "55");
  EXPECT_EQ(value("($f := function($x)<n:n> { $x }; $f('a'))").substr(0, 5), "T0410");
}

TEST_F(Jsonata, CallsFunctionsOfTheLibrary) {
  EXPECT_EQ(value("$formatNumber(1234.5, '#,##0.00')"), "\"1,234.50\"");
  EXPECT_EQ(value("$merge([{'a': 1}, {'b': 2}])"), R"({"a":1,"b":2})");
  EXPECT_EQ(value("$zip([1, 2], [3, 4])"), "[[1,3],[2,4]]");
  EXPECT_EQ(value("$distinct([1, 1, 2])"), "[1,2]");
  EXPECT_EQ(value("$keys({'a': 1, 'b': 2})"), R"(["a","b"])");
  EXPECT_EQ(value("$spread({'a': 1, 'b': 2})"), R"([{"a":1},{"b":2}])");
  EXPECT_EQ(value("$string({'a': [1, null]})"), R"("{\"a\":[1,null]}")");
  EXPECT_EQ(value("$number('12.5') + $floor(2.7) + $round(2.5)"), "16.5");
  EXPECT_EQ(value("$join($split('a,b', ','), '-')"), "\"a-b\"");
  EXPECT_EQ(value("$pad('a', -3, '.')"), "\"..a\"");
  EXPECT_EQ(value("$base64decode($base64encode('hello'))"), "\"hello\"");
  EXPECT_EQ(value("$base64encode('é')"), "\"6Q==\"");
  EXPECT_EQ(value("$encodeUrlComponent('a b&c')"), "\"a%20b%26c\"");
  EXPECT_EQ(value("$exists($states.input.a) and $boolean([0, 1])"), "true");
  EXPECT_EQ(value("$type($states.input)"), "\"object\"");
  EXPECT_EQ(value("$formatBase(255, 16)"), "\"ff\"");
  EXPECT_EQ(value("$formatInteger(2026, 'w')"), "\"two thousand and twenty-six\"");
}

TEST_F(Jsonata, MatchesRegularExpressions) {
  EXPECT_EQ(value(R"($contains("hello$world", /^hello\$/))"), "true");
  EXPECT_EQ(value(R"($contains("hello$world", /^hello\ /))"), "false");
  EXPECT_EQ(value(R"($replace("John Smith", /(\w+)\s(\w+)/, "$2, $1"))"), "\"Smith, John\"");
  EXPECT_EQ(value("$match('a1b22', /[0-9]+/).match"), R"(["1","22"])");
  EXPECT_EQ(value("$split('a1b22c', /[0-9]+/)"), R"(["a","b","c"])");
  EXPECT_EQ(value("$replace('aBc', /b/i, function($m) { $uppercase($m.match) & '!' })"), "\"aB!c\"");
}

TEST_F(Jsonata, KnowsTimesInUtc) {
  EXPECT_EQ(value("$fromMillis(0)"), "\"1970-01-01T00:00:00.000Z\"");
  EXPECT_EQ(value("$toMillis('2017-11-07T15:07:54.972Z')"), "1510067274972");
  EXPECT_EQ(value("$toMillis('2020-01-01T00:00:00')"), "1577836800000");
  EXPECT_EQ(value("$toMillis('2020-01-01T00:00:00+01:00')"), "1577833200000");
  EXPECT_EQ(value("$fromMillis(1510067557121, '[M01]/[D01]/[Y0001] [h#1]:[m01][P]', '+0100')"),
            "\"11/07/2017 4:12pm\"");
  EXPECT_EQ(value("$toMillis('13/02/2021', '[D01]/[M01]/[Y0001]')"), "1613174400000");
  EXPECT_EQ(value("$now() = $now() and $millis() = $millis()"), "true");
  EXPECT_EQ(value("$millis() > 1700000000000"), "true");
}

TEST_F(Jsonata, CountsCharactersAndNotCodeUnits) {
  states["input"] = "a😀ü";
  EXPECT_EQ(value("$length($states.input)"), "3");
  EXPECT_EQ(value("$substring($states.input, 1, 1)"), "\"😀\"");
  EXPECT_EQ(value("$states.input & '😀'"), "\"a😀ü😀\"");
  EXPECT_EQ(value("$split('😀', '')"), "[\"\uFFFD\",\"\uFFFD\"]");
  states["input"] =
      "\xff"
      "a\xed\xa0\x80";
  EXPECT_EQ(value("$states.input"), "\"\uFFFDa\uFFFD\"");
}

TEST_F(Jsonata, PartitionsArraysAsTheServiceDoes) {
  EXPECT_EQ(value("$partition([0], 1)"), "[[0]]");
  EXPECT_EQ(value("$partition([0, 1, 2], 2)"), "[[0,1],[2]]");
  EXPECT_EQ(value("$partition([], 2)"), "[]");
  EXPECT_EQ(value("$partition($missing, 2)"), "undefined");
  EXPECT_EQ(value("$partition([1], 0)").substr(0, 2), ": ");
  EXPECT_EQ(value("$partition([1], 1.5)").substr(0, 2), ": ");
}

TEST_F(Jsonata, MakesRangesAsTheServiceDoes) {
  EXPECT_EQ(value("$range(1, 9, 2)"), "[1,3,5,7,9]");
  EXPECT_EQ(value("$range(1, 9, 9)"), "1");
  EXPECT_EQ(value("$range(3, 1, -1)"), "[3,2,1]");
  EXPECT_EQ(value("$range(0, 1, 0.25)"), "[0,0.25,0.5,0.75,1]");
  EXPECT_EQ(value("$range(1, 9, 0)").substr(0, 2), ": ");
  EXPECT_EQ(value("$range(0, 1, 0.00000001)").substr(0, 5), "D2014");
}

TEST_F(Jsonata, ParsesJson) {
  EXPECT_EQ(value(R"($parse('{"Arg1": 1, "Arg2": []}'))"), R"({"Arg1":1,"Arg2":[]})");
  EXPECT_EQ(value("$parse('-0')"), "0");
  EXPECT_EQ(value("$parse('1.1')"), "1.1");
  EXPECT_EQ(value("$parse('{')"), ": The argument of $parse is not valid JSON");
  EXPECT_EQ(value("$parse($missing)"), "undefined");
}

TEST_F(Jsonata, HashesTexts) {
  EXPECT_EQ(value("$hash('abc', 'MD5')"), "\"900150983cd24fb0d6963f7d28e17f72\"");
  EXPECT_EQ(value("$hash('abc', 'SHA-1')"), "\"a9993e364706816aba3e25717850c26c9cd0d89d\"");
  EXPECT_EQ(value("$hash('', 'SHA-256')"), "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"");
  EXPECT_EQ(value("$length($hash('ü', 'SHA-384')) + $length($hash('ü', 'SHA-512'))"), "224");
  EXPECT_EQ(value("$hash('abc', 'MD4')").substr(0, 2), ": ");
}

TEST_F(Jsonata, DrawsFromItsEntropy) {
  EXPECT_NE(value("$random()"), value("$random()"));
  EXPECT_EQ(value("$random(7)"), value("$random(7)"));
  EXPECT_NE(value("$random(7)"), value("$random(8)"));
  EXPECT_EQ(value("$random() >= 0 and $random() < 1"), "true");
  EXPECT_NE(value("$uuid()"), value("$uuid()"));
  EXPECT_EQ(value("$contains($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)"),
            "true");
  EXPECT_EQ(value("$count($shuffle([1..9]))"), "9");
}

TEST_F(Jsonata, GivesWholeNumbersAsIntegers) {
  EXPECT_TRUE(evaluate("4 / 2").value.is_number_integer());
  EXPECT_TRUE(evaluate("5 / 2").value.is_number_float());
  EXPECT_TRUE(evaluate("$number('-0')").value.is_number_integer());
  EXPECT_EQ(value("9007199254740991"), "9007199254740991");
  EXPECT_EQ(value("1e300"), "1e+300");
  EXPECT_EQ(value("1/0").substr(0, 5), "D1001");
}

TEST_F(Jsonata, RefusesFunctionsAsValues) {
  EXPECT_EQ(value("$sum"), "unsupported");
  EXPECT_EQ(value("/a/"), "unsupported");
  EXPECT_EQ(value("function($x) { $x }"), "unsupported");
  EXPECT_EQ(value("$fn := function($x) { $x }"), "unsupported");
  EXPECT_EQ(value("{'a': [$sum]}"), "unsupported");
}

TEST_F(Jsonata, TellsErrorsByTheirCode) {
  EXPECT_EQ(value("$randomSeeded(1)"), "T1006: Attempted to invoke a non-function");
  EXPECT_EQ(value("$eval('1')"), "T1006: Attempted to invoke a non-function");
  EXPECT_EQ(value("1 + 'a'"), "T2002: The right side of the \"+\" operator must evaluate to a number");
  EXPECT_EQ(value("$sum('a')"), "T0412: Argument 1 of function \"sum\" must be an array of \"numbers\"");
  EXPECT_EQ(value("$error('mine')"), "D3137: mine");
  EXPECT_EQ(value("$assert(false, 'mine')"), "D3141: mine");
  EXPECT_EQ(value("$number('x')").substr(0, 5), "D3030");
  EXPECT_EQ(value("$toMillis('x')").substr(0, 5), "D3110");
  EXPECT_EQ(value("1 < 'a'").substr(0, 5), "T2009");
}

TEST_F(Jsonata, ChecksExpressionsWithoutEvaluatingThem) {
  EXPECT_NO_THROW(engine.check("$doesNotExist()"));
  for (const char* expression : {"", "1 +", "$a := ", "(1", "/[/", "{", "'a", "a b"}) {
    EXPECT_THROW(engine.check(expression), JsonataError) << expression;
  }
  EXPECT_EQ(value("1 + "), "S0207: Unexpected end of expression");
}

TEST_F(Jsonata, LeavesNothingForTheNextEvaluation) {
  EXPECT_EQ(value("($left := 1; $n := 2; $sum := 3; $n)"), "2");
  EXPECT_EQ(value("$left"), "undefined");
  EXPECT_EQ(value("$n"), "5");
  EXPECT_EQ(value("$sum([1, 2])"), "3");
  value("($clone := function($x) { $x }; $states.input ~> |$|{'a': 2}|)");
  value("($clone := function($x) { $x }; $f := |$|{'implementation': 1}|; $f($sum))");
  value("($clone := function($x) { $x }; $f := |**|{'value': 66}|; $g := function() { 5 }; $f($g))");
  EXPECT_EQ(value("$sum([1, 2])"), "3");
  EXPECT_EQ(value("$states.input.a"), "1");
  EXPECT_EQ(value("($g := function() { 5 }; $g())"), "5");
  EXPECT_EQ(value("$spread($sum).**[$type($) = 'object'] ~> |$|{'_jsonata_function': false}|").empty(), false);
  EXPECT_EQ(value("$sum([1, 2])"), "3");
}

TEST_F(Jsonata, EvaluatesTheSameExpressionWithOtherValues) {
  for (int i = 0; i < 1'000; ++i) {
    variables["n"] = i;
    ASSERT_EQ(value("$n * 2"), std::to_string(i * 2));
  }
}

TEST_F(Jsonata, ForgetsExpressionsThatWereNotUsedForLong) {
  for (int i = 0; i < 2'000; ++i) ASSERT_EQ(value("$n + " + std::to_string(i)), std::to_string(5 + i));
  EXPECT_EQ(value("$n + 0"), "5");
}

// Bounds: what is too much ends by itself, in about the time limit, and the engine goes on.

struct Bomb {
  const char* name;
  const char* expression;
};

class JsonataBomb : public testing::TestWithParam<Bomb> {};

constexpr Bomb kBombs[] = {
    {"TailCalls", "($f := function($x) { $f($x) }; $f(1))"},
    {"Recursion", "($f := function($x) { 1 + $f($x) }; $f(1))"},
    {"MutualRecursion", "($f := function($x) { [$g($x)] }; $g := function($x) { {'a': $f($x)} }; $f(1))"},
    {"RecursionInNativeFunctions", "($f := function($x) { $map([1, 2], $f) }; $f(1))"},
    {"RecursionInRegularExpressions", "($f := function($x) { $replace('aa', /a/, $f) }; $f(1))"},
    {"CatastrophicRegularExpression", "$match($pad('', 40, 'a') & '!', /(a+)+$/)"},
    {"CatastrophicReplacement", "$replace($pad('', 5000, 'a'), /(a*)*b/, 'x')"},
    {"Padding", "$pad('x', 1000000000)"},
    {"DoubledText", "($d := function($n, $x) { $n = 0 ? $x : $d($n - 1, $x & $x) }; $length($d(40, 'ab')))"},
    {"SlowSearch",
     "($d := function($n, $x) { $n = 0 ? $x : $d($n - 1, $x & $x) }; $h := $d(20, 'aaaa'); "
     "$contains($h, $d(19, 'aaaa') & 'b'))"},
    {"LongRange", "[1..10000000]"},
    {"LongRanges", "[[1..1000000], [1..1000000], [1..1000000], [1..1000000], [1..1000000], [1..1000000]]"},
    {"SharedArrays", "$reduce([1..60], function($a, $i) { [$a, $a] }, 1)"},
    {"DeepResult", "$reduce([1..100000], function($a, $i) { {'x': $a} }, {})"},
    {"Permutations", "[1..5000].([1..5000].([1..5000]))"},
};

INSTANTIATE_TEST_SUITE_P(All, JsonataBomb, testing::ValuesIn(kBombs), [](const auto& info) { return info.param.name; });

TEST_P(JsonataBomb, EndsWithAnErrorInTime) {
  JsonataEngine engine({.time = 500ms});
  Counting entropy;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(engine.evaluate(GetParam().expression, Json::object(), Json::object(), entropy), JsonataError);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
  EXPECT_EQ(engine.evaluate("1 + 1", Json::object(), Json::object(), entropy).value, 2);
}

TEST_P(JsonataBomb, EndsWhenInterrupted) {
  std::optional<std::chrono::steady_clock::time_point> start;
  const auto interrupt = [&start] { return start && std::chrono::steady_clock::now() - *start > 30ms; };
  JsonataEngine engine({.time = 60s}, interrupt);
  Counting entropy;
  engine.check("1");
  start = std::chrono::steady_clock::now();
  EXPECT_THROW(engine.evaluate(GetParam().expression, Json::object(), Json::object(), entropy), JsonataError);
  EXPECT_LT(std::chrono::steady_clock::now() - *start, 20s);
  start.reset();
  EXPECT_EQ(engine.evaluate("1 + 1", Json::object(), Json::object(), entropy).value, 2);
}

TEST_F(Jsonata, ParsesHostileExpressionsInTime) {
  const auto repeated = [](const std::string& part, int count) {
    std::string text;
    while (count-- > 0) text += part;
    return text;
  };
  JsonataEngine engine({.time = 300ms});
  for (const char* part : {"(", "[", "{'a':", "-", "$f(", "1+", "a.", "'", "function($x){", "1?1:", "/(", "`"}) {
    EXPECT_THROW(engine.check(repeated(part, 100'000)), JsonataError) << part;
    EXPECT_NO_THROW(engine.check("1 + 1")) << part;
  }
  EXPECT_EQ(value(repeated("(", 300) + "1" + repeated(")", 300)), "1");
}

TEST_F(Jsonata, RecursesDeeperThanAnybodyNeeds) {
  EXPECT_EQ(value("($f := function($x) { $x > 0 ? 1 + $f($x - 1) : 0 }; $f(500))"), "500");
  EXPECT_EQ(value("($f := function($x, $a) { $x > 0 ? $f($x - 1, $a + 1) : $a }; $f(5000, 0))"), "5000");
}

TEST_F(Jsonata, RefusesResultsThatAreTooLargeOrTooDeep) {
  JsonataEngine small({.result = 1'000});
  EXPECT_THROW(small.evaluate("[1..1000]", states, variables, entropy), JsonataError);
  EXPECT_NO_THROW(small.evaluate("[1..100]", states, variables, entropy));
  EXPECT_EQ(value("$reduce([1..2000], function($a, $i) { [[$a]] }, 0)"), ": The result is nested too deep");
}

TEST_F(Jsonata, TakesLargeAndDeepInput) {
  Json deep = 1;
  for (int i = 0; i < 900; ++i) deep = Json::array({std::move(deep)});
  states["input"] = deep;
  EXPECT_EQ(evaluate("$states.input").value, deep);
  states["input"] = Json::array();
  for (int i = 0; i < 20'000; ++i) states["input"].push_back({{"id", i}, {"name", "x" + std::to_string(i)}});
  EXPECT_EQ(value("$count($states.input)"), "20000");
  EXPECT_EQ(value("$states.input[19999].name"), "\"x19999\"");
  EXPECT_EQ(value("1"), "1");
}

// Templates.

class JsonataTemplate : public Jsonata {
 protected:
  Json fill(const Json& source, const std::string& field = "Output") {
    return evaluate_jsonata(engine, source, field, states, variables, entropy);
  }

  std::string cause(const Json& source, const std::string& field = "Output") {
    try {
      return "value: " + compact(fill(source, field));
    } catch (const StateError& error) {
      EXPECT_EQ(error.failure().error, errors::kQueryEvaluationError);
      return error.location() + "|" + error.failure().cause.value_or("");
    }
  }
};

TEST_F(JsonataTemplate, FindsExpressionsByTheirMarks) {
  EXPECT_EQ(jsonata_expression("{% $a %}"), "$a");
  EXPECT_EQ(jsonata_expression("{%$a%}"), "$a");
  EXPECT_EQ(jsonata_expression("{%\n 1\t%}"), "1");
  EXPECT_EQ(jsonata_expression("{%%}"), "");
  for (const char* text : {"", "$a", "{%", "{%}", " {% 1 %}", "{% 1 %} ", "{% 1", "x{% 1 %}"}) {
    EXPECT_EQ(jsonata_expression(text), std::nullopt) << text;
  }
}

TEST_F(JsonataTemplate, FillsExpressionsAtAnyDepth) {
  EXPECT_EQ(fill("{% $states.input.a %}"), 1);
  EXPECT_EQ(
      fill(Json::parse(R"({"a": ["{% $n %}", {"b": "{% $states.input.text %}", "{% 1 %}": "{ 1 }"}], "c": null})")),
      Json::parse(R"({"a": [5, {"b": "hello", "{% 1 %}": "{ 1 }"}], "c": null})"));
}

TEST_F(JsonataTemplate, NamesTheFieldInItsCauses) {
  EXPECT_EQ(
      cause({{"result", "{% $doesNotExist %}"}}, "Assign"),
      "Assign/result|The JSONata expression '$doesNotExist' specified for the field 'Assign/result' returned nothing "
      "(undefined).");
  EXPECT_EQ(cause({{"FunctionResult", "{% $randomSeeded($states.input.a) %}"}}),
            "Output/FunctionResult|The JSONata expression '$randomSeeded($states.input.a)' specified for the field "
            "'Output/FunctionResult' threw an error during evaluation. T1006: Attempted to invoke a non-function");
  EXPECT_EQ(cause("{% $fn := function($x){$x} %}", "Items"),
            "Items|The JSONata expression '$fn := function($x){$x}' specified for the field 'Items' returned an "
            "unsupported result type.");
}

}  // namespace
}  // namespace etl::states
