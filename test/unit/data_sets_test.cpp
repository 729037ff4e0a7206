#include "crawl/data_sets.h"

#include <gtest/gtest.h>

namespace etl::crawl {
namespace {

using Names = std::vector<std::string>;

// "name pattern files", one line each.
Names told(const std::vector<DataSet>& sets) {
  Names lines;
  for (const DataSet& set : sets)
    lines.push_back(set.name + " " + set.pattern + " " + std::to_string(set.files.size()));
  return lines;
}

Names tables(const std::vector<DataSet>& sets, const std::string& root = "", const std::string& prefix = "") {
  Names names;
  for (const DataSet& set : sets) names.push_back(table_name_of(set, root, prefix, "landing"));
  return names;
}

TEST(DataSets, AreFilesOfTheirOwnWhereNothingIsLikeThem) {
  const auto sets = group_files({"a/x.csv", "b/Y.PARQUET", "readme.txt", "z.json.gz"}, {});
  EXPECT_EQ(told(sets), (Names{"a/x.csv a/x.csv 1", "b/Y.PARQUET b/Y.PARQUET 1", "z.json.gz z.json.gz 1"}));
  EXPECT_EQ(tables(sets), (Names{"a_x", "b_y", "z"}));
  EXPECT_EQ(tables(sets, "", "crm_"), (Names{"crm_a_x", "crm_b_y", "crm_z"}));
  EXPECT_EQ(table_name_of(sets[0], "a", "", ""), "x");
}

TEST(DataSets, AreFoldersOfOneType) {
  const auto sets = group_files({"a/1.csv", "a/2.csv", "a/3.json", "a/4.json", "x.csv", "y.csv"}, {});
  EXPECT_EQ(told(sets), (Names{" *.csv 2", "a a/*.csv 2", "a a/*.json 2"}));
  EXPECT_EQ(tables(sets), (Names{"landing", "a", "a"}));
  EXPECT_EQ(told(split(sets[1])), (Names{"a/1.csv a/1.csv 1", "a/2.csv a/2.csv 1"}));
}

TEST(DataSets, ArePartitions) {
  const auto sets = group_files(
      {"s/year=2023/m=1/a.csv", "s/year=2024/m=1/a.csv", "s/year=2024/m=2/b.csv", "s/x.csv", "year=2024/t.parquet"},
      {});
  EXPECT_EQ(told(sets), (Names{" year=*/*.parquet 1", "s s/year=*/m=*/*.csv 3", "s/x.csv s/x.csv 1"}));
  EXPECT_EQ(sets[1].partitions, (Names{"year", "m"}));
  EXPECT_EQ(tables(sets), (Names{"landing", "s", "s_x"}));
}

TEST(DataSets, StayWhatTheyWere) {
  EXPECT_EQ(told(group_files({"a/1.csv", "a/2.csv", "b/1.csv"}, {"b/*.csv"})), (Names{"a a/*.csv 2", "b b/*.csv 1"}));
  // Beside a file that is a set all others are.
  const auto sets = group_files({"a/1.csv", "a/2.csv", "a/3.csv"}, {"a/1.csv"});
  EXPECT_EQ(told(sets), (Names{"a/1.csv a/1.csv 1", "a/2.csv a/2.csv 1", "a/3.csv a/3.csv 1"}));
  EXPECT_TRUE(sets[0].is_known);
  EXPECT_FALSE(sets[1].is_known);
  EXPECT_EQ(told(group_files({"s/y=1/a.csv", "s/y=2/a.csv"}, {"s/y=*/*.csv"})), (Names{"s s/y=*/*.csv 2"}));
}

TEST(DataSets, QuoteWhatPatternsMean) {
  const auto sets = group_files({"a[1]*.csv"}, {});
  EXPECT_EQ(sets[0].pattern, "a\\[1]\\*.csv");
  EXPECT_TRUE(group_files({"a[1]*.csv"}, {sets[0].pattern})[0].kind == DataSet::Kind::kFile);
  // A file's own pattern goes before a folder's, also where it is quoted.
  EXPECT_EQ(told(group_files({"a/x[1].csv", "a/y.csv"}, {"a/*.csv", "a/x\\[1].csv"})),
            (Names{"a a/*.csv 1", "a/x[1].csv a/x\\[1].csv 1"}));
}

TEST(PartitionType, TakesTwoDigitsForANumber) {
  EXPECT_EQ(partition_type({"01", "12"}), "integer");
  EXPECT_EQ(partition_type({"007"}), "text");
  EXPECT_EQ(partition_type({"2024-01-31"}), "date");
  EXPECT_EQ(partition_type({"31.01.2024"}), "text");
  EXPECT_EQ(partition_type({"de", "fr"}), "text");
}

}  // namespace
}  // namespace etl::crawl
