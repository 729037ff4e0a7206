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

TEST(CsvRecord, HeedsItsMarks) {
  EXPECT_EQ(split_record("a;'b;c'", {";", "'", "'"}), Fields({"a", "b;c"}));
  EXPECT_EQ(split_record("\"a\\\"b\"", {",", "\"", "\\"}), Fields({"a\"b"}));
  EXPECT_EQ(split_record("a,\"b", {",", "", ""}), Fields({"a", "\"b"}));
}

}  // namespace
}  // namespace etl::files
