#include "states/intrinsics.h"

#include <gtest/gtest.h>

#include <set>

#include "states/digest.h"
#include "states_values.h"

namespace etl::states {
namespace {

const Json kInput = value_of(R"({
  "n": 5, "f": 1.1, "s": "text", "t": true, "z": null, "list": [1, 2, 3, 4], "empty": [], "o": {"Arg1": 1, "Arg2": []},
  "mixed": [null, null, true, true, false, 1, 1.0, 1.1, 0, "x", "x", [], [], [null], {"a": 1}, {"a": 1}, {"a": 2}],
  "template": "Hi {}!", "deep": {"items": [{"v": "a"}, {"v": "b"}]}})");

Sight sight() {
  return {kInput, value_of("{'State':{'Name':'Here'}}"), value_of("{'x':{'y':7}}")};
}

Json evaluate(const std::string& text) {
  CountingEntropy entropy;
  const Sight seen = sight();
  return Intrinsic::parse(text).evaluate(seen.scope(), entropy);
}

struct Case {
  const char* text;
  const char* expected;
};

void expect_all(const std::vector<Case>& cases) {
  for (const auto& [text, expected] : cases) {
    try {
      EXPECT_EQ(compact(evaluate(text)), compact(value_of(expected))) << text;
    } catch (const std::exception& error) {
      ADD_FAILURE() << text << ": " << error.what();
    }
  }
}

void expect_failures(const std::vector<const char*>& texts) {
  for (const char* text : texts) {
    EXPECT_TRUE(
        failure_of([&] {
          evaluate(text);
        }).starts_with("States.IntrinsicFailure: The function '" + std::string(text) + "' had the following error: "))
        << text;
  }
}

TEST(StatesIntrinsics, WorkOnArrays) {
  expect_all({{"States.Array()", "[]"},
              {"States.Array($.n, 'x', 1.5, null, true, $.list)", "[5,'x',1.5,null,true,[1,2,3,4]]"},
              {"States.ArrayPartition($.list, 3)", "[[1,2,3],[4]]"},
              {"States.ArrayPartition($.list, 1)", "[[1],[2],[3],[4]]"},
              {"States.ArrayPartition($.list, 9)", "[[1,2,3,4]]"},
              {"States.ArrayPartition($.list, 1.5)", "[[1,2],[3,4]]"},
              {"States.ArrayPartition($.empty, 2)", "[]"},
              {"States.ArrayContains($.list, 3)", "true"},
              {"States.ArrayContains($.list, 3.0)", "true"},
              {"States.ArrayContains($.list, '3')", "false"},
              {"States.ArrayContains($.mixed, null)", "true"},
              {"States.ArrayContains(States.Array($.o), $.o)", "true"},
              {"States.ArrayContains($.empty, null)", "false"},
              {"States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"},
              {"States.ArrayRange(0, 10, 3)", "[0,3,6,9]"},
              {"States.ArrayRange(9, 1, -4)", "[9,5,1]"},
              {"States.ArrayRange(1, 9, -1)", "[]"},
              {"States.ArrayRange(9, 1, 1)", "[]"},
              {"States.ArrayRange(2, 2, 1)", "[2]"},
              {"States.ArrayRange(0.5, 2.4, 1)", "[1,2]"},
              {"States.ArrayGetItem($.list, 0)", "1"},
              {"States.ArrayGetItem($.list, 3)", "4"},
              {"States.ArrayLength($.list)", "4"},
              {"States.ArrayLength($.deep.items[*].v)", "2"},
              {"States.ArrayLength($.nothing[*])", "0"},
              {"States.ArrayUnique($.mixed)", R"([null,true,false,1,1.1,0,"x",[],[null],{"a":1},{"a":2}])"}});
  expect_failures({"States.ArrayPartition($.list, 0)", "States.ArrayPartition($.list, -1)",
                   "States.ArrayPartition($.s, 1)", "States.ArrayContains('x', 1)", "States.ArrayRange(1, 2, 0)",
                   "States.ArrayRange(0, 1000, 1)", "States.ArrayRange('a', 2, 1)", "States.ArrayRange(0, 1e300, 1)",
                   "States.ArrayGetItem($.list, 4)", "States.ArrayGetItem($.list, -1)",
                   "States.ArrayGetItem($.list, 1.5)", "States.ArrayGetItem($.list, 'a')", "States.ArrayLength($.o)",
                   "States.ArrayUnique(1)"});
  EXPECT_EQ(evaluate("States.ArrayRange(1, 1000, 1)").size(), 1'000u);
  EXPECT_EQ(evaluate("States.ArrayRange(-9223372036854775808, 9223372036854775807, 9223372036854775807)").size(), 3u);
}

TEST(StatesIntrinsics, FormatAsJavaDoes) {
  expect_all({{"States.Format('')", "''"},
              {"States.Format('no place')", "'no place'"},
              {"States.Format('{} and {}', $.s, 'x')", "'text and x'"},
              {"States.Format('{}', $.o)", "'{Arg1=1, Arg2=[]}'"},
              {"States.Format('{}', $.mixed)",
               R"("[null, null, true, true, false, 1, 1.0, 1.1, 0, x, x, [], [], [null], {a=1}, {a=1}, {a=2}]")"},
              {"States.Format('{}{}{}', $.z, $.t, $.f)", "'nulltrue1.1'"},
              {"States.Format('{} {} {}', 1e10, 0.0001, 100.0)", "'1.0E10 1.0E-4 100.0'"},
              {"States.Format('{} {} {}', 1234567.5, 12345678.5, 0.001)", "'1234567.5 1.23456785E7 0.001'"},
              {"States.Format('{} {} {}', 1e21, 1.5e-7, -2.0)", "'1.0E21 1.5E-7 -2.0'"},
              {"States.Format($.template, $.s)", "'Hi text!'"},
              {"States.Format('\\{\\} {} \\\\ \\'', 1)", R"("{} 1 \\ '")"},
              {"States.Format('{a} }{ {}', 1)", "'{a} }{ 1'"},
              {"States.Format('{}', '{}')", "'{}'"},
              {"States.Format('{}', States.Format('<{}>', $$.State.Name))", "'<Here>'"},
              {"States.Format('{}', $x.y)", "'7'"},
              {"States.Format('{}', $.deep.items[?(@.v == 'b,)')])", "'[]'"},
              {"States.Format( '{}' , $.list.length() )", "'4'"},
              {"States.ArrayLength($.deep.items[?(@.v =~ /[a'\\)]/)])", "1"}});
  expect_failures({"States.Format('{}')", "States.Format('{} {}', 1)", "States.Format('', 1)", "States.Format(1)"});
}

TEST(StatesIntrinsics, WorkOnTexts) {
  expect_all({{"States.StringSplit('This.is+a,test=string', '.+,=')", "['This','is','a','test','string']"},
              {"States.StringSplit(',,,,', ',')", "[]"},
              {"States.StringSplit('', ',')", "[]"},
              {"States.StringSplit('a,b', '')", "['a,b']"},
              {"States.StringSplit(' , ', ',')", "[' ',' ']"},
              {"States.StringSplit('aébéc', 'é')", "['a','b','c']"},
              {"States.StringSplit('aèbéc', 'é')", "['aèb','c']"},
              {"States.StringSplit('Hello\nWorld', '\n')", "['Hello','World']"},
              {"States.Base64Encode('Data to encode')", "'RGF0YSB0byBlbmNvZGU='"},
              {"States.Base64Encode('')", "''"},
              {"States.Base64Encode('ab')", "'YWI='"},
              {"States.Base64Encode('é')", "'w6k='"},
              {"States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "'Data to encode'"},
              {"States.Base64Decode('YQ')", "'a'"},
              {"States.Base64Decode('YQ==')", "'a'"},
              {"States.Hash('input data', 'MD5')", "'812f45842bc6d66ee14572ce20db8e86'"},
              {"States.Hash('input data', 'SHA-1')", "'aaff4a450a104cd177d28d18d74485e8cae074b7'"}});
  expect_failures({"States.StringSplit(1, ',')", "States.StringSplit('a', $.list)", "States.Base64Encode(1)",
                   "States.Base64Decode('a')", "States.Base64Decode('YQ=')", "States.Base64Decode('Y Q=')",
                   "States.Base64Decode('=')", "States.Base64Decode('/w==')", "States.Hash('a', 'MD4')",
                   "States.Hash('a', 'md5')", "States.Hash(1, 'MD5')", "States.Hash('a', 1)"});
}

TEST(StatesIntrinsics, HashKnownVectors) {
  EXPECT_EQ(digest("MD5", ""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(digest("SHA-1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(digest("SHA-256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest("SHA-384", "abc"),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(digest("SHA-512", "abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d442364"
            "3ce80e2a"
            "9ac94fa54ca49f");
}

TEST(StatesIntrinsics, WorkOnJson) {
  expect_all({{"States.StringToJson('')", "null"},
              {"States.StringToJson(' ')", "null"},
              {"States.StringToJson('-0')", "0"},
              {"States.StringToJson('[1, \"a\"]')", "[1,'a']"},
              {"States.StringToJson('{\"a\": \"false\"}')", "{'a':'false'}"},
              {"States.JsonToString($.o)", R"("{\"Arg1\":1,\"Arg2\":[]}")"},
              {"States.JsonToString('a')", R"("\"a\"")"},
              {"States.JsonToString(1.1)", "'1.1'"},
              {"States.JsonToString(States.Array(1e-7, 1e10, 12345678.5, 100.0))", "'[1.0E-7,1.0E10,1.23456785E7,100.0]'"},
              {"States.JsonToString(null)", "'null'"},
              {"States.StringToJson(States.JsonToString($.deep))", "{'items':[{'v':'a'},{'v':'b'}]}"},
              {"States.JsonMerge($.o, States.StringToJson('{\"Arg1\":{\"x\":1},\"b\":2}'), false)",
               "{'Arg1':{'x':1},'Arg2':[],'b':2}"}});
  expect_failures({"States.StringToJson('x')", "States.StringToJson('1 2')", "States.StringToJson(1)",
                   "States.StringToJson('\"\\\\ud800\"')", "States.JsonMerge($.o, $.o, true)",
                   "States.JsonMerge($.o, 1, false)", "States.JsonMerge($.list, $.o, false)",
                   "States.JsonMerge($.o, $.o, 'false')"});
}

TEST(StatesIntrinsics, RoundHalvesUp) {
  expect_all({{"States.MathAdd(1.5, 0)", "2"},
              {"States.MathAdd(-1.5, 0)", "-1"},
              {"States.MathAdd(-0.5, 0.5)", "1"},
              {"States.MathAdd(-0.5, 0)", "0"},
              {"States.MathAdd(2.5, 0)", "3"},
              {"States.MathAdd(-2.5, 0)", "-2"},
              {"States.MathAdd(1.49, 0)", "1"},
              {"States.MathAdd(-1.5, -1.51)", "-3"},
              {"States.MathAdd(0.49999999999999994, 0)", "0"},
              {"States.MathAdd(9007199254740993, 0)", "9007199254740993"},
              {"States.MathAdd(-9, 3)", "-6"},
              {"States.MathAdd(States.MathAdd(1, 2), $.n)", "8"}});
  expect_failures({"States.MathAdd('1', 2)", "States.MathAdd(null, 2)", "States.MathAdd(1e30, 0)",
                   "States.MathAdd(9223372036854775807, 1)"});
}

TEST(StatesIntrinsics, DrawAtRandom) {
  std::set<int64_t> seen;
  CountingEntropy entropy;
  const Sight seen_by = sight();
  const Intrinsic dice = Intrinsic::parse("States.MathRandom(1, 7)");
  for (int i = 0; i < 1'000; ++i) seen.insert(dice.evaluate(seen_by.scope(), entropy).get<int64_t>());
  EXPECT_EQ(seen, (std::set<int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(evaluate("States.MathRandom(1, 999, 5)"), evaluate("States.MathRandom(1, 999, 5)"));
  EXPECT_EQ(evaluate("States.MathRandom(3, 4)"), 3);
  EXPECT_TRUE(evaluate("States.MathRandom(-9223372036854775808, 9223372036854775807)").is_number_integer());
  expect_failures({"States.MathRandom(1, 1)", "States.MathRandom(2, 1)", "States.MathRandom('a', 1)"});
}

TEST(StatesIntrinsics, MakeUuids) {
  const std::string uuid = evaluate("States.UUID()").get<std::string>();
  ASSERT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
  EXPECT_EQ(uuid, "01234567-89ab-4def-8246-8acf13579bde");
}

TEST(StatesIntrinsics, SayWhatIsMissing) {
  Sight seen{value_of("{'other':1}")};
  CountingEntropy entropy;
  const auto cause = [&](const char* text) {
    return failure_of([&] { Intrinsic::parse(text).evaluate(seen.scope(), entropy); });
  };
  EXPECT_EQ(cause("States.Format('{}', $.nope)"),
            "States.Runtime: The function 'States.Format('{}', $.nope)' had the following error: The JsonPath argument "
            "for the "
            "field '$.nope' could not be found in the input '{\"other\":1}'");
  EXPECT_EQ(cause("States.Array(States.Array($$.a.b))"),
            "States.Runtime: The function 'States.Array(States.Array($$.a.b))' had the following error: The JsonPath "
            "argument "
            "for the field '$.a.b' could not be found in the input '{\"other\":1}'");
  seen.input = value_of("{'items':[1]}");
  EXPECT_NE(cause("States.Format('{}', $.items[5])"), "");
  EXPECT_NE(cause("States.Format('{}', $.items[5].x)"), "");
}

TEST(StatesIntrinsics, RefuseWhatIsNoCall) {
  for (const char* text : {"",
                           "States.",
                           "States.Format",
                           "States.Format(",
                           "States.Format('a'",
                           "States.Format('a',)",
                           "States.Format('a' 'b')",
                           "States.Format('a') ,",
                           "States.Format('a'))",
                           "States.format('a')",
                           "States.Nothing()",
                           "Format('a')",
                           "States.Format(\"a\")",
                           "States.Format('a)",
                           "States.Format('\\\"')",
                           "States.Format('\\n')",
                           "States.Format('a\\",
                           "States.Format('a\\')",
                           "States.UUID(1)",
                           "States.Format()",
                           "States.Array(,)",
                           "States.Array(1,,2)",
                           "States.MathAdd(1)",
                           "States.MathAdd(1, 2, 3)",
                           "States.MathRandom(1)",
                           "States.MathRandom(1, 2, 3, 4)",
                           "States.Array([1])",
                           "States.Array({})",
                           "States.Array(01)",
                           "States.Array(abc)",
                           "States.Array(tru)",
                           "States.Array('\xFF')",
                           "States.Array(1) States.Array(2)",
                           " States.Array()"}) {
    EXPECT_THROW(Intrinsic::parse(text), IntrinsicSyntaxError) << text;
  }
  for (const char* text : {"States.Array($.a[)", "States.Array($.)", "States.Array($.a.b())"}) {
    EXPECT_ANY_THROW(Intrinsic::parse(text)) << text;
  }
}

TEST(StatesIntrinsics, AreNestedTenDeep) {
  const auto nested = [](int depth) {
    std::string text = "1";
    for (int i = 0; i < depth; ++i) text = "States.Array(" + text + ")";
    return text;
  };
  EXPECT_EQ(compact(evaluate(nested(10))), "[[[[[[[[[[1]]]]]]]]]]");
  EXPECT_THROW(Intrinsic::parse(nested(11)), IntrinsicSyntaxError);
  EXPECT_THROW(Intrinsic::parse(nested(1'000)), IntrinsicSyntaxError);
}

TEST(StatesIntrinsics, BoundWhatTheyMake) {
  Sight seen{Json(std::string(200'000, '\\'))};
  CountingEntropy entropy;
  const auto cause = [&](const std::string& text) {
    return failure_of([&] { Intrinsic::parse(text).evaluate(seen.scope(), entropy); });
  };
  std::string copies = "States.Array($";
  for (int i = 0; i < 2'000; ++i) copies += ",$";
  EXPECT_TRUE(cause(copies + ")").starts_with("States.DataLimitExceeded"));
  std::string escaped = "$";
  for (int i = 0; i < 10; ++i) escaped = "States.JsonToString(" + escaped + ")";
  EXPECT_TRUE(cause(escaped).starts_with("States.DataLimitExceeded"));
  EXPECT_TRUE(cause("States.Base64Encode($)").starts_with("States.IntrinsicFailure"));
  EXPECT_TRUE(cause("States.Base64Decode($)").starts_with("States.IntrinsicFailure"));
  EXPECT_TRUE(cause("States.Hash($, 'MD5')").starts_with("States.IntrinsicFailure"));
  seen.input = Json(std::string(10'000, 'a'));
  EXPECT_EQ(cause("States.Hash($, 'MD5')"), "");
}

}  // namespace
}  // namespace etl::states
