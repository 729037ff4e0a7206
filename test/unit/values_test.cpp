// Values of plain forms: what is taken without the server, and what is left to the type's input function.

#include "files/values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>

namespace etl::files {
namespace {

std::optional<int64_t> integer(std::string_view text, int64_t least = INT64_MIN, int64_t most = INT64_MAX) {
  int64_t value;
  return parse_integer(text, least, most, &value) ? std::optional(value) : std::nullopt;
}

std::optional<std::pair<int64_t, int>> decimal(std::string_view text) {
  int64_t value;
  int scale;
  return parse_decimal(text, &value, &scale) ? std::optional(std::pair(value, scale)) : std::nullopt;
}

std::optional<double> number(std::string_view text) {
  double value;
  return parse_double(text, &value) ? std::optional(value) : std::nullopt;
}

std::optional<int32_t> date(std::string_view text) {
  int32_t days;
  return parse_date(text, &days) ? std::optional(days) : std::nullopt;
}

std::optional<int64_t> timestamp(std::string_view text) {
  int64_t micros;
  return parse_timestamp(text, &micros) ? std::optional(micros) : std::nullopt;
}

TEST(Values, ReadsIntegersWithinBounds) {
  EXPECT_EQ(integer("0"), 0);
  EXPECT_EQ(integer("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(integer("007"), 7);
  EXPECT_EQ(integer("32767", INT16_MIN, INT16_MAX), 32767);
  EXPECT_EQ(integer("32768", INT16_MIN, INT16_MAX), std::nullopt);
}

TEST(Values, LeavesOtherIntegersToTheServer) {
  for (const char* text : {"", "-", "+5", " 5", "5 ", "1_000", "1e3", "5.0", "0x10", "9223372036854775808", "--1"})
    EXPECT_EQ(integer(text), std::nullopt) << text;
}

TEST(Values, ReadsDecimalsWithTheirScale) {
  EXPECT_EQ(decimal("1.50"), std::pair(int64_t{150}, 2));
  EXPECT_EQ(decimal("-0.05"), std::pair(int64_t{-5}, 2));
  EXPECT_EQ(decimal("123456789012345678"), std::pair(int64_t{123456789012345678}, 0));
  EXPECT_EQ(decimal("12345678901234567.8"), std::pair(int64_t{123456789012345678}, 1));
}

TEST(Values, LeavesOtherDecimalsToTheServer) {
  for (const char* text : {"", ".", "1.", ".5", "1e5", "NaN", "1.2.3", "1,5", "+1", "1234567890123456789", "- 1"})
    EXPECT_EQ(decimal(text), std::nullopt) << text;
}

TEST(Values, ReadsFloatingPointNumbers) {
  EXPECT_EQ(number("0.1"), 0.1);
  EXPECT_EQ(number("-1e-7"), -1e-7);
  EXPECT_TRUE(std::signbit(*number("-0")));
  for (const char* text : {"", "inf", "nan", "-inf", " 1", "1 ", "0x1p3", "1e400", "+1", "1f"})
    EXPECT_EQ(number(text), std::nullopt) << text;
}

TEST(Values, ReadsDatesOfTheCalendarOnly) {
  EXPECT_EQ(date("2000-01-01"), 0);
  EXPECT_EQ(date("1999-12-31"), -1);
  EXPECT_EQ(date("2024-02-29"), 8825);
  EXPECT_EQ(date("0001-01-01"), -730119);
  EXPECT_EQ(date("9999-12-31"), 2921939);
  for (const char* text : {"2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-01-32", "0000-01-01",
                           "24-01-01", "2024/01/01", "2024-1-1", "20240101", "2024-01-01 "})
    EXPECT_EQ(date(text), std::nullopt) << text;
}

TEST(Values, CountsEveryDayOnce) {
  int32_t expected = *date("1899-12-31");
  for (int year = 1900; year <= 2100; ++year)
    for (int month = 1; month <= 12; ++month)
      for (int day = 1; day <= 31; ++day) {
        char text[16];
        snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
        if (const auto days = date(text)) {
          EXPECT_EQ(*days, ++expected) << text;
        }
      }
}

TEST(Values, ReadsTimestampsToTheMicrosecond) {
  EXPECT_EQ(timestamp("2000-01-01 00:00:00"), 0);
  EXPECT_EQ(timestamp("2000-01-02T00:00:01.5"), 86'401'500'000);
  EXPECT_EQ(timestamp("1999-12-31 23:59:59.999999"), -1);
  for (const char* text :
       {"2000-01-01", "2000-01-01 24:00:00", "2000-01-01 00:60:00", "2000-01-01 00:00:60", "2000-01-01 00:00:00.",
        "2000-01-01 00:00:00.1234567", "2000-01-01 00:00:00Z", "2000-01-01 00:00:00+01", "2000-01-01  0:00:00"})
    EXPECT_EQ(timestamp(text), std::nullopt) << text;
}

TEST(Values, ReadsBooleansInLowerCase) {
  bool truth = false;
  EXPECT_TRUE(parse_boolean("yes", &truth) && truth);
  EXPECT_TRUE(parse_boolean("off", &truth) && !truth);
  for (const char* text : {"", "TRUE", "2", "tr", " t"}) EXPECT_FALSE(parse_boolean(text, &truth)) << text;
}

}  // namespace
}  // namespace etl::files
