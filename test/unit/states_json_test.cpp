#include "states/json.h"

#include <gtest/gtest.h>

#include "states/utf8.h"

namespace etl::states {
namespace {

std::string nested(size_t depth, const std::string& open, const std::string& middle, const std::string& close) {
  std::string text;
  for (size_t i = 0; i < depth; ++i) text += open;
  text += middle;
  for (size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(StatesJson, ReadsWhatItWrites) {
  for (const char* text : {"null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "1.5",
                           "\"\"", "\"a\\\"b\\\\c\\n\\u0001\"", "\"\u00e9\u20ac\U0001F600\"", "[]", "{}",
                           "[1,[2,{\"a\":null}]]", "{\"\":{},\"a\":1,\"b\":[]}"}) {
    const std::optional<Json> value = parse_json(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(compact(*value), text);
    EXPECT_EQ(size_in_bytes(*value), std::string(text).size()) << text;
  }
}

TEST(StatesJson, RefusesWhatIsNoJson) {
  for (const char* text : {"",        " ",     "nul",    "[1",    "[1,]",    "{\"a\"}",   "{a:1}",
                           "{'a':1}", "01",    "1.",     "+1",    ".5",      "NaN",       "Infinity",
                           "1 2",     "[1] x", "\"\t\"", "\"a",   "\"\\x\"", "\"\\u12\"", "\xEF\xBB\xBF{}",
                           "// a\n1", "]",     "1e400",  "-1e400"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
}

TEST(StatesJson, RefusesTextsThatAreNoUnicode) {
  EXPECT_FALSE(parse_json(R"("\ud800")"));
  EXPECT_FALSE(parse_json(R"("\udc00")"));
  EXPECT_FALSE(parse_json(R"("\ud800\ud800")"));
  EXPECT_FALSE(parse_json(R"({"\udfff":1})"));
  EXPECT_FALSE(parse_json("\"\xFF\""));
  EXPECT_FALSE(parse_json("\"\xC0\x80\""));
  EXPECT_FALSE(parse_json("\"\xED\xA0\x80\""));  // a surrogate
  EXPECT_FALSE(parse_json("\"\xE2\x82\""));
  EXPECT_EQ(parse_json(R"("\ud83d\ude00")"), Json("\U0001F600"));
}

TEST(StatesJson, ComparesNumbersAsNumbers) {
  EXPECT_EQ(*parse_json("0"), *parse_json("0.0"));
  EXPECT_EQ(*parse_json("0"), *parse_json("-0"));
  EXPECT_EQ(*parse_json("100"), *parse_json("1e2"));
  EXPECT_NE(*parse_json("1"), *parse_json("\"1\""));
  EXPECT_NE(*parse_json("18446744073709551615"), *parse_json("-1"));
  EXPECT_EQ(*parse_json("18446744073709551615"), *parse_json("18446744073709551615.0"));
  EXPECT_TRUE(parse_json("99999999999999999999999999999999")->is_number_float());
}

TEST(StatesJson, KeepsTheLastOfEqualKeys) {
  EXPECT_EQ(compact(*parse_json(R"({"a":1,"a":{"b":2},"a":3})")), R"({"a":3})");
}

TEST(StatesJson, ReadsNoDeeperThanItsBound) {
  EXPECT_TRUE(parse_json(nested(kDeepestJson, "[", "", "]")));
  EXPECT_FALSE(parse_json(nested(kDeepestJson + 1, "[", "", "]")));
  EXPECT_TRUE(parse_json(nested(kDeepestJson, "{\"a\":", "1", "}")));
  EXPECT_FALSE(parse_json(nested(kDeepestJson + 1, "{\"a\":", "1", "}")));
  EXPECT_FALSE(parse_json(nested(10'000'000, "[", "", "")));
  EXPECT_FALSE(parse_json(nested(1'000'000, "{\"a\":", "", "")));
}

TEST(StatesJson, ReadsTenMegabytes) {
  std::string text = "[0";
  while (text.size() < 10'000'000) text += ",0";
  const std::optional<Json> value = parse_json(text + "]");
  ASSERT_TRUE(value);
  EXPECT_EQ(size_in_bytes(*value), text.size() + 1);
  EXPECT_EQ(parse_json("\"" + std::string(10'000'000, 'a') + "\"")->get_ref<const std::string&>().size(), 10'000'000u);
  EXPECT_TRUE(parse_json("0." + std::string(1'000'000, '1')));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '1')));  // no finite double
}

TEST(StatesJson, CountsTheBytesOfItsText) {
  for (const char* text : {"[1.5,-2.25,1e30,0.1,-0.0,123456789.125]", R"({"\"\\\b\f\n\r\t\u001f":"\u007f/"})",
                           "[[],{},[{}]]", "[-10,10,-9,9,0,100,-100]", "\"\u00e9\""}) {
    const Json value = *parse_json(text);
    EXPECT_EQ(size_in_bytes(value), compact(value).size()) << text;
  }
}

TEST(StatesJson, MeasuresDepth) {
  EXPECT_EQ(extent(Json(1)).depth, 0);
  EXPECT_EQ(extent(*parse_json("[]")).depth, 1);
  EXPECT_EQ(extent(*parse_json("[{},{\"a\":[1]},2]")).depth, 3);
}

TEST(StatesJson, CutsWhatItShows) {
  EXPECT_EQ(shown(*parse_json("[1]")), "[1]");
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "\u20ac";
  const std::string cut = shown(Json(text));
  EXPECT_LT(cut.size(), 10'100u);
  EXPECT_TRUE(is_utf8(cut));
  EXPECT_TRUE(cut.ends_with("..."));
}

}  // namespace
}  // namespace etl::states
