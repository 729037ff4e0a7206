#include "locations/rules.h"

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace etl::locations {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1000 * kSecond;

std::string why_not(const Rules& rules, const std::string& path, int64_t size = 10, int64_t modified_ns = 0) {
  return refusal(rules, {path, {size, modified_ns}, ""}, kNow).value_or("");
}

TEST(Rules, AcceptKnownTypesUnlessTold) {
  EXPECT_EQ(why_not({}, "a/b.csv"), "");
  EXPECT_EQ(why_not({}, "a/b.txt"), "is of no known file type");
  const Rules only_parquet{.file_types = {*file_type_called("parquet")}};
  EXPECT_EQ(why_not(only_parquet, "b.parquet"), "");
  EXPECT_EQ(why_not(only_parquet, "b.csv.gz"), "is of type csv.gz, which is not allowed");
}

TEST(Rules, TestTheNameInAnyDirectory) {
  const Rules rules{.name_pattern = "orders_*.csv"};
  EXPECT_EQ(why_not(rules, "a/orders_1.csv"), "");
  EXPECT_EQ(why_not(rules, "orders_a/1.csv"), "has a name that does not match \"orders_*.csv\"");
}

TEST(Rules, ExcludeByNameAtAnyDepthAndByPathFromTheTop) {
  const Rules rules{.exclusions = {"old*", "in/tmp", "a/**/x.csv"}};
  EXPECT_NE(why_not(rules, "a.csv/old.csv"), "");
  EXPECT_NE(why_not(rules, "older/b/c.csv"), "");
  EXPECT_NE(why_not(rules, "in/tmp/deep/c.csv"), "");
  EXPECT_NE(why_not(rules, "a/b/x.csv"), "");
  EXPECT_EQ(why_not(rules, "b/in/tmp/c.csv"), "");
  EXPECT_EQ(why_not(rules, "b/x.csv"), "");
}

TEST(Rules, LeaveHiddenFilesAlone) {
  for (const char* path : {".x.csv", "_SUCCESS.csv", "_temporary/0/a.csv", "a/.tmp/b.csv"})
    EXPECT_TRUE(why_not({}, path).starts_with("is hidden")) << path;
  EXPECT_EQ(why_not({}, "_day=1/a.csv"), "");
}

TEST(Rules, LimitTheSize) {
  const Rules rules{.min_size = 10, .max_size = 20};
  EXPECT_EQ(why_not(rules, "a.csv", 9), "has 9 bytes, fewer than 10");
  EXPECT_EQ(why_not(rules, "a.csv", 10), "");
  EXPECT_EQ(why_not(rules, "a.csv", 20), "");
  EXPECT_EQ(why_not(rules, "a.csv", 21), "has 21 bytes, more than 20");
}

TEST(Rules, LeaveAFileAloneUntilItIsStable) {
  const Rules rules{.stable_for_ns = 60 * kSecond};
  EXPECT_EQ(why_not(rules, "a.csv", 1, kNow - 60 * kSecond), "");
  EXPECT_EQ(why_not(rules, "a.csv", 1, kNow - 59 * kSecond), "was modified 59 s ago, less than 60 s");
  EXPECT_NE(why_not(rules, "a.csv", 1, kNow + 1), "");
  EXPECT_EQ(why_not({}, "a.csv", 1, kNow + kSecond), "");
}

TEST(Rules, NameAFilesOwnProblemFirst) {
  EXPECT_EQ(refusal({}, {"x.txt", {}, "is a directory"}, kNow), "is a directory");
}

// "path" or "path: reason" of each.
std::vector<std::string> found(const Directory& directory, const Rules& rules, const std::string& pattern) {
  std::vector<std::string> result;
  for (const Found& it : find_files(directory, rules, pattern, kNow))
    result.push_back(it.entry.path + (it.refusal ? ": " + *it.refusal : ""));
  return result;
}

TEST(FindFiles, LooksOnlyWhereThePatternAndTheRulesAllow) {
  TemporaryDirectory place;
  place.write("a.csv");
  place.write("b.txt");
  place.write(".git/c.csv");
  place.write("old/c.csv");
  place.write("new/c.csv");
  const Directory directory = Directory::open(place.path());
  const Rules rules{.exclusions = {"old"}};
  EXPECT_EQ(found(directory, rules, "*"), (std::vector<std::string>{"a.csv", "b.txt: is of no known file type"}));
  EXPECT_EQ(found(directory, rules, "**"),
            (std::vector<std::string>{".git: is hidden: its path has a name that begins with \".\" or \"_\"", "a.csv",
                                      "b.txt: is of no known file type", "new/c.csv", "old: is excluded by \"old\""}));
  EXPECT_EQ(found(directory, rules, "new/*"), (std::vector<std::string>{"new/c.csv"}));
  EXPECT_EQ(found(directory, rules, "none/*"), (std::vector<std::string>{}));
}

}  // namespace
}  // namespace etl::locations
