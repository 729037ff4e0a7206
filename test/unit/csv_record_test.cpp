// Taking one record of a CSV file apart.

#include "files/csv_record.h"

#include <gtest/gtest.h>

namespace etl::files {
namespace {

using Fields = std::optional<std::vector<std::string>>;

TEST(CsvRecord, SplitsAtDelimitersOutsideQuotes) {
  EXPECT_EQ(split_record("a,b,c", {}), Fields({"a", "b", "c"}));
  EXPECT_EQ(split_record("a,\"b,c\",", {}), Fields({"a", "b,c", ""}));
  EXPECT_EQ(split_record("", {}), Fields({""}));
}

TEST(CsvRecord, TakesDoubledQuotesAsOne) {
  EXPECT_EQ(split_record("\"a \"\"b\"\"\"", {}), Fields({"a \"b\""}));
  EXPECT_EQ(split_record("\"\"", {}), Fields({""}));
}

TEST(CsvRecord, TakesAQuoteInsideAFieldAsACharacter) {
  EXPECT_EQ(split_record("a\"b,c", {}), Fields({"a\"b", "c"}));
  EXPECT_EQ(split_record("\"a\"b\",c", {}), Fields({"ab\"", "c"}));
  EXPECT_EQ(split_record("a, \"b,c\"", {}), Fields({"a", " b,c"}));
}

TEST(CsvRecord, KnowsThatARecordGoesOn) {
  EXPECT_EQ(split_record("a,\"b", {}), std::nullopt);
  EXPECT_EQ(split_record("a,\"b\nc\"", {}), Fields({"a", "b\nc"}));
}

TEST(CsvRecord, KnowsLineByLineThatARecordGoesOn) {
  EXPECT_FALSE(ends_in_quotes("a,b", {}, false));
  EXPECT_FALSE(ends_in_quotes("a,\"b \"\"c\"\"\"", {}, false));
  EXPECT_TRUE(ends_in_quotes("a,\"b", {}, false));
  EXPECT_TRUE(ends_in_quotes("", {}, true));
  EXPECT_TRUE(ends_in_quotes("b \"\"c\"\"", {}, true));
  EXPECT_FALSE(ends_in_quotes("b\"", {}, true));
  EXPECT_FALSE(ends_in_quotes("a,\"b", {",", "", ""}, false));
  EXPECT_FALSE(ends_in_quotes("a,b\"", {}, false));
}

TEST(CsvRecord, HeedsItsMarks) {
  EXPECT_EQ(split_record("a;'b;c'", {";", "'", "'"}), Fields({"a", "b;c"}));
  EXPECT_EQ(split_record("\"a\\\"b\"", {",", "\"", "\\"}), Fields({"a\"b"}));
  EXPECT_EQ(split_record("a,\"b", {",", "", ""}), Fields({"a", "\"b"}));
}

TEST(CsvRecord, PrintsWhatIsNoText) {
  EXPECT_EQ(printable("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(printable("caf\xe9,1"), "caf\\xe9,1");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82"),
            "\\xc0\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe2\\x82");
  EXPECT_EQ(printable("ab\xc3\xa9", 3), "ab");
  EXPECT_EQ(printable("abc", 2), "ab");
}

}  // namespace
}  // namespace etl::files
