// Taking the records of a CSV file apart.

#include "locations/csv_record.h"

#include <gtest/gtest.h>

namespace etl::locations {
namespace {

using Fields = std::vector<std::string>;

constexpr CsvMarks kBackslash{',', '"', '\\'};
constexpr CsvMarks kNoQuotes{',', '\0', '\0'};
constexpr CsvMarks kCopy{',', '"', '"', true};

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
  EXPECT_EQ(split_record("5\" disk,price", {}), Fields({"5\" disk", "price"}));
  EXPECT_EQ(split_record("a,  \"b,c", {}), Fields({"a", "  \"b", "c"}));
}

TEST(CsvRecord, TakesOneBlankBeforeAQuoteAndAnyBehind) {
  EXPECT_EQ(split_record("a, \"b,c\"  ,d", {}), Fields({"a", " b,c  ", "d"}));
  EXPECT_EQ(split_record("\"a,\" \"b,\"", {}), Fields({"a, b,"}));
  EXPECT_FALSE(shape_of("a, \"b\"  ,c", {}).has_text_behind);
}

TEST(CsvRecord, KnowsTextBehindAQuotedField) {
  EXPECT_TRUE(shape_of("\"a\"b,c", {}).has_text_behind);
  EXPECT_TRUE(shape_of("\"a\" b,c", {}).has_text_behind);
  EXPECT_TRUE(shape_of("\"a\"\"b\"", kBackslash).has_text_behind);
  EXPECT_FALSE(shape_of("\"a\"\"b\"", {}).has_text_behind);
  EXPECT_TRUE(shape_of("\"a\"b,\"c", {}).is_open) << "the next field may be quoted again";
}

TEST(CsvRecord, KnowsLineByLineThatARecordGoesOn) {
  for (const CsvMarks& marks : {CsvMarks{}, kCopy}) {
    EXPECT_FALSE(ends_in_quotes("a,b", marks, false));
    EXPECT_FALSE(ends_in_quotes("a,\"b \"\"c\"\"\"", marks, false));
    EXPECT_TRUE(ends_in_quotes("a,\"b", marks, false));
    EXPECT_TRUE(ends_in_quotes("", marks, true));
    EXPECT_TRUE(ends_in_quotes("b \"\"c\"\"", marks, true));
    EXPECT_FALSE(ends_in_quotes("b\"", marks, true));
  }
  EXPECT_FALSE(ends_in_quotes("a,\"b", kNoQuotes, false));
  EXPECT_FALSE(ends_in_quotes("a,b\"", {}, false));
}

TEST(CsvRecord, HeedsItsMarks) {
  EXPECT_EQ(split_record("a;'b;c'", {';', '\'', '\''}), Fields({"a", "b;c"}));
  EXPECT_EQ(split_record("a,\"b", kNoQuotes), Fields({"a", "\"b"}));
  EXPECT_EQ(split_record("\"a\\\"b\"", kBackslash), Fields({"a\"b"}));
}

TEST(CsvRecord, TakesTheEscapeMarkBeforeItselfAndAQuoteAway) {
  EXPECT_EQ(split_record(R"("C:\\dir\\",b)", kBackslash), Fields({R"(C:\dir\)", "b"}));
  EXPECT_FALSE(ends_in_quotes(R"("C:\\dir\\")", kBackslash));
  EXPECT_TRUE(ends_in_quotes(R"("C:\\dir\")", kBackslash));
  EXPECT_FALSE(shape_of(R"("C:\\dir\\\"",C:\x)", kBackslash).has_odd_escape);
}

TEST(CsvRecord, KnowsAnEscapeMarkBeforeSomethingElse) {
  EXPECT_EQ(split_record(R"("C:\temp")", kBackslash), Fields({R"(C:\temp)"}));
  EXPECT_TRUE(shape_of(R"("C:\temp")", kBackslash).has_odd_escape);
  EXPECT_TRUE(shape_of(R"("line \)", kBackslash).has_odd_escape);
}

TEST(CsvRecord, MayHaveQuotesInsideItsFieldsAsCopyTakesThem) {
  EXPECT_EQ(split_record("5\" disk,\" price", kCopy), Fields({"5 disk, price"}));
  EXPECT_EQ(split_record("\"a\"b\",\"", kCopy), Fields({"ab,"}));
  EXPECT_TRUE(ends_in_quotes("5\" disk,price", kCopy));
  EXPECT_FALSE(shape_of("\"a\"b", kCopy).has_text_behind);
}

TEST(CsvRecord, CountsItsFields) {
  EXPECT_EQ(shape_of("a,\"b,c\",", {}).fields, 3U);
  EXPECT_EQ(shape_of("b,c\",d", {}, true).fields, 2U);
}

TEST(CsvRecord, EndsWithTheFirstLineEndOutsideQuotes) {
  EXPECT_EQ(first_record("a,\"b\nc\"\r\nd", true, {}), "a,\"b\nc\"");
  EXPECT_EQ(first_record("a,b", true, {}), "a,b");
  EXPECT_EQ(first_record("a,b", false, {}), std::nullopt);
  EXPECT_EQ(first_record("a,\"b\nc", true, {}), std::nullopt);
  EXPECT_EQ(first_record("\na", true, {}), "");
  EXPECT_TRUE(shape_of("a,\"b\nc\",d\re", {}).has_line_end);
  EXPECT_FALSE(shape_of("a,\"b\nc\",d", {}).has_line_end);
}

}  // namespace
}  // namespace etl::locations
