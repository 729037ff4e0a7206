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
}

TEST(CsvRecord, HeedsItsMarks) {
  EXPECT_EQ(split_record("a;'b;c'", {";", "'", "'"}), Fields({"a", "b;c"}));
  EXPECT_EQ(split_record("\"a\\\"b\"", {",", "\"", "\\"}), Fields({"a\"b"}));
  EXPECT_EQ(split_record("a,\"b", {",", "", ""}), Fields({"a", "\"b"}));
}

}  // namespace
}  // namespace etl::files
