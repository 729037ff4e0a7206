#include "crawl/column_types.h"

#include <gtest/gtest.h>

namespace etl::crawl {
namespace {

using Values = std::vector<std::string>;

std::vector<Evidence> seen(const std::vector<Values>& columns) {
  std::vector<Evidence> evidence(columns.size());
  for (size_t i = 0; i < columns.size(); ++i)
    for (const std::string& value : columns[i]) evidence[i].add(value);
  return evidence;
}

// The types of a file's columns, separated by bars.
std::string types(const std::vector<Values>& columns, files::ReaderOptions* options) {
  std::string result;
  for (const files::Column& column : decide_types(Values(columns.size()), seen(columns), options))
    result += (result.empty() ? "" : "|") + column.type;
  return result;
}

std::string type(const Values& values, files::ReaderOptions options = {}) {
  return types({values}, &options);
}

TEST(ColumnTypes, TakeTrueAndFalseForBooleansButNotYesAndNo) {
  EXPECT_EQ(type({"true", "False", "TRUE"}), "boolean");
  EXPECT_EQ(type({"t", "f"}), "boolean");
  EXPECT_EQ(type({"f", "f"}), "text");  // perhaps m comes later
  EXPECT_EQ(type({"yes", "no"}), "text");
  EXPECT_EQ(type({"Y", "N"}), "text");
  EXPECT_EQ(type({"0", "1"}), "integer");
  EXPECT_EQ(type({"true", "1"}), "text");
}

TEST(ColumnTypes, WidenWholeNumbersByTheirRange) {
  EXPECT_EQ(type({"0", "-5", "2147483647", "-2147483648"}), "integer");
  EXPECT_EQ(type({"1", "2147483648"}), "bigint");
  EXPECT_EQ(type({"-2147483649"}), "bigint");
  EXPECT_EQ(type({"9223372036854775807", "-9223372036854775808"}), "bigint");
  EXPECT_EQ(type({"9223372036854775808"}), "numeric");
  EXPECT_EQ(type({std::string(1001, '9')}), "text");
  EXPECT_EQ(type({"20101229", "0", "32154"}), "integer");
  EXPECT_EQ(type({" 1", "2 "}), "integer");
}

TEST(ColumnTypes, LeaveIdentifiersAlone) {
  EXPECT_EQ(type({"007", "12"}), "text");
  EXPECT_EQ(type({"00"}), "text");
  EXPECT_EQ(type({"+4930123456"}), "text");
  EXPECT_EQ(type({"1,234.5"}), "text");
  EXPECT_EQ(type({"1,234"}), "text");
  EXPECT_EQ(type({"1_000"}), "text");
  EXPECT_EQ(type({"0x1F"}), "text");
  EXPECT_EQ(type({"1.2.3"}), "text");
  EXPECT_EQ(type({"12 kg"}), "text");
  EXPECT_EQ(type({"007.5"}), "text");
  EXPECT_EQ(type({"-"}), "text");
  EXPECT_EQ(type({"5."}), "text");
}

TEST(ColumnTypes, TellDecimalsFromFloats) {
  EXPECT_EQ(type({"12.50", "3", "-.5"}), "numeric");
  EXPECT_EQ(type({"52.520008"}), "numeric");
  EXPECT_EQ(type({"0.30000000000000004"}), "double precision");
  EXPECT_EQ(type({"1.5e10", "2E-3", "7"}), "double precision");
  EXPECT_EQ(type({"1.5e10", "1234567890123456789"}), "numeric");  // too exact for a float
  EXPECT_EQ(type({"1e400"}), "text");
}

TEST(ColumnTypes, LoseNoDigitOfAFraction) {
  EXPECT_EQ(type({"3.14159265358979323846"}), "numeric");
  EXPECT_EQ(type({"3.141592653589793"}), "double precision");
  EXPECT_EQ(type({"0.00000000000123456789012345"}), "double precision");
  EXPECT_EQ(type({"0.12345678901234567"}), "numeric");  // as double precision it ends with 66
  EXPECT_EQ(type({"12345.678901234567", "1.0"}), "double precision");
  EXPECT_EQ(type({"1.2345678901234567890e5"}), "numeric");
  EXPECT_EQ(type({"1.50000000000000000000"}), "double precision");
  EXPECT_EQ(type({"3.14159265358979323846", "NaN"}), "numeric");
}

TEST(ColumnTypes, LoseNoDigitOfASecond) {
  EXPECT_EQ(type({"2024-12-31 23:59:59.123456"}), "timestamp");
  EXPECT_EQ(type({"2024-12-31 23:59:59.1234560"}), "timestamp");
  EXPECT_EQ(type({"2024-12-31 23:59:59.1234567"}), "text");
  EXPECT_EQ(type({"23:59:59.000000001"}), "text");
  EXPECT_EQ(type({"23:59:59.000000000"}), "time");
}

TEST(ColumnTypes, TakeNaNAndInfinityOnlyBesideFractions) {
  EXPECT_EQ(type({"1.5", "NaN", "-Infinity", "inf"}), "double precision");
  EXPECT_EQ(type({"1", "NaN"}), "text");
  EXPECT_EQ(type({"Nan"}), "text");  // a name
  EXPECT_EQ(type({"inf"}), "text");
}

TEST(ColumnTypes, TakeDatesInIsoForm) {
  EXPECT_EQ(type({"2024-02-29", "1999-1-5"}), "date");
  EXPECT_EQ(type({"2023-02-29"}), "text");
  EXPECT_EQ(type({"0000-01-01"}), "text");
  EXPECT_EQ(type({"2024-13-01"}), "text");
  EXPECT_EQ(type({"2024-12-31 23:59:59", "2024-12-31T23:59", "2024-12-31"}), "timestamp");
  EXPECT_EQ(type({"2024-12-31 23:59:59.123456Z", "2024-12-31T23:59:59+05:30", "2024-12-31 10:00:00 UTC"}),
            "timestamptz");
  EXPECT_EQ(type({"2024-12-31 23:59:59Z", "2024-12-31 23:59:59"}), "text");  // of an unknown zone
  EXPECT_EQ(type({"2024-12-31 24:00:01"}), "text");
  EXPECT_EQ(type({"23:59", "00:00:01.5"}), "time");
  EXPECT_EQ(type({"2024-12-31", "0"}), "text");
}

TEST(ColumnTypes, TakeAnotherStyleOfDatesOnlyWhereItIsClear) {
  files::ReaderOptions options;
  EXPECT_EQ(types({{"31/12/2024", "01/02/2024"}}, &options), "date");
  EXPECT_EQ(options.date_format, "%d/%m/%Y");
  options = {};
  EXPECT_EQ(types({{"12/31/2024"}}, &options), "date");
  EXPECT_EQ(options.date_format, "%m/%d/%Y");
  options = {};
  EXPECT_EQ(types({{"01/02/2024", "03/04/2024"}}, &options), "text");
  EXPECT_FALSE(options.date_format);
  EXPECT_EQ(types({{"31/12/2024", "12/31/2024"}}, &options), "text");
  EXPECT_EQ(types({{"01.02.2024"}}, &options), "date");
  EXPECT_EQ(options.date_format, "%d.%m.%Y");
  options = {};
  EXPECT_EQ(types({{"31-Dec-2024"}}, &options), "date");
  EXPECT_EQ(options.date_format, "%d-%b-%Y");
}

TEST(ColumnTypes, ShareOneStyleOfDatesInAFile) {
  files::ReaderOptions options;
  EXPECT_EQ(types({{"31/12/2024"}, {"01/02/2024"}}, &options), "date|date");  // one tells about the other
  options = {};
  EXPECT_EQ(types({{"31/12/2024"}, {"2024-12-31"}}, &options), "date|date");  // ISO is always understood
  EXPECT_EQ(options.date_format, "%d/%m/%Y");
  options = {};
  EXPECT_EQ(types({{"31/12/2024"}, {"31.12.2024"}}, &options), "text|text");
  EXPECT_EQ(types({{"31.12.2024 10:30"}, {"01.01.2024"}}, &options), "timestamp|date");
  EXPECT_EQ(options.timestamp_format, "%d.%m.%Y %H:%M");
}

TEST(ColumnTypes, KeepGivenFormats) {
  files::ReaderOptions options;
  options.date_format = "%d/%m/%Y";
  std::vector<Evidence> evidence = seen({{"01/02/2024"}, {"2024-02-01"}, {"x"}});
  evidence[0].set_matches(1, 0);
  const auto columns = decide_types({"a", "b", "c"}, evidence, &options);
  EXPECT_EQ(columns[0].type, "date");
  EXPECT_EQ(columns[1].type, "date");
  EXPECT_EQ(columns[2].type, "text");
}

TEST(ColumnTypes, KnowFormatsWithAZone) {
  EXPECT_TRUE(has_zone("%d.%m.%Y %H:%M %z"));
  EXPECT_TRUE(has_zone("%Z"));
  EXPECT_FALSE(has_zone("%d.%m.%Y %H:%M"));
  EXPECT_FALSE(has_zone("%%z%"));
  std::vector<Evidence> evidence = seen({{"1.2.2024 12:00 +0200"}});
  evidence[0].set_matches(0, 1);
  files::ReaderOptions options;
  options.timestamp_format = "%d.%m.%Y %H:%M %z";
  EXPECT_EQ(decide_types({"t"}, evidence, &options)[0].type, "timestamptz");
}

TEST(ColumnTypes, FindDecimalCommasWhereTheDelimiterIsNone) {
  files::ReaderOptions options;
  options.delimiter = ";";
  EXPECT_EQ(types({{"12,5", "7"}, {"1,234"}}, &options), "numeric|numeric");
  EXPECT_EQ(options.decimal_separator, ",");
  options = {};
  options.delimiter = ";";
  EXPECT_EQ(types({{"1,234", "5,678"}}, &options), "text");  // thousands, perhaps
  EXPECT_EQ(types({{"12,5"}, {"12.5"}}, &options), "text|numeric");
  EXPECT_FALSE(options.decimal_separator);
  EXPECT_EQ(type({"12,5"}), "text");
  options.decimal_separator = ",";
  EXPECT_EQ(types({{"1,234"}, {"1.234"}}, &options), "numeric|text");
}

TEST(ColumnTypes, TakeColumnsWithoutValuesForText) {
  files::ReaderOptions options;
  const auto columns = decide_types({"a", "b"}, seen({{}, {""}}), &options);
  EXPECT_EQ(columns[0].type, "text");
  EXPECT_FALSE(columns[0].has_values);
  EXPECT_EQ(columns[1].type, "text");  // an empty text in quotes
  EXPECT_TRUE(columns[1].has_values);
}

TEST(ColumnTypes, KnowUuids) {
  EXPECT_EQ(type({"123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"}), "uuid");
  EXPECT_EQ(type({"123e4567-e89b-12d3-a456-42661417400"}), "text");
}

TEST(Header, IsTheFirstRecordIfItDoesNotFitTheOthers) {
  EXPECT_TRUE(is_header({"id", "name"}, seen({{"1", "2"}, {"a", "b"}})));
  EXPECT_TRUE(is_header({"id", "2023"}, seen({{"1"}, {"2"}})));
  EXPECT_FALSE(is_header({"1", "a"}, seen({{"2", "3"}, {"b", "c"}})));
  EXPECT_TRUE(is_header({"t"}, seen({{"2024-01-01"}})));
  EXPECT_FALSE(is_header({"t"}, seen({{"t", "f"}})));
  EXPECT_FALSE(is_header({"", "a"}, seen({{"2", "3"}, {"b", "c"}})));
}

TEST(Header, IsAssumedWhereAllIsText) {
  EXPECT_TRUE(is_header({"name", "city"}, seen({{"a"}, {"b"}})));
  EXPECT_TRUE(is_header({"name", "2023"}, seen({{"a"}, {"1,5"}})));
  EXPECT_FALSE(is_header({"01/02/2024", "a"}, seen({{"03/04/2024"}, {"b"}})));
  EXPECT_TRUE(is_header({"id", "name"}, seen({{}, {}})));  // a header only
  EXPECT_FALSE(is_header({"1", "a"}, seen({{}, {}})));
}

}  // namespace
}  // namespace etl::crawl
