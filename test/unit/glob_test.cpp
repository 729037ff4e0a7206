#include "locations/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace etl::locations {
namespace {

TEST(Glob, MatchesPlainTextOnlyEntirely) {
  EXPECT_TRUE(matches("a/b.csv", "a/b.csv"));
  EXPECT_FALSE(matches("a/b.csv", "a/b.csv2"));
  EXPECT_FALSE(matches("a/b.csv", "x/a/b.csv"));
  EXPECT_FALSE(matches("b.csv", "B.csv"));
  EXPECT_FALSE(matches("", "a"));
}

TEST(Glob, LetsAStarStandForAnythingInOneDirectory) {
  EXPECT_TRUE(matches("*.csv", "orders.csv"));
  EXPECT_TRUE(matches("*.csv", ".csv"));
  EXPECT_TRUE(matches("a*b*c", "aXbYbZc"));
  EXPECT_TRUE(matches("*", "x"));
  EXPECT_FALSE(matches("*.csv", "a/orders.csv"));
  EXPECT_FALSE(matches("a*b*c", "aXbY"));
  EXPECT_TRUE(matches("*/x*.csv", "a/x1.csv"));
}

TEST(Glob, LetsTwoStarsStandForDirectories) {
  EXPECT_TRUE(matches("**", "a"));
  EXPECT_TRUE(matches("**", "a/b/c"));
  EXPECT_TRUE(matches("**/c", "c"));
  EXPECT_TRUE(matches("**/c", "a/b/c"));
  EXPECT_FALSE(matches("**/c", "a/c/b"));
  EXPECT_TRUE(matches("a/**", "a/b/c"));
  EXPECT_FALSE(matches("a/**", "a"));
  EXPECT_TRUE(matches("a/**/z", "a/z"));
  EXPECT_TRUE(matches("a/**/b/**/z", "a/1/b/2/b/3/z"));
  EXPECT_FALSE(matches("a/**/b/**/z", "a/1/2/3/z"));
  EXPECT_TRUE(matches("a**z", "abz"));  // no whole component
  EXPECT_FALSE(matches("a**z", "a/z"));
}

TEST(Glob, ReadsOneCharacterNotOneByte) {
  EXPECT_TRUE(matches("?.csv", "é.csv"));
  EXPECT_FALSE(matches("??.csv", "é.csv"));
  EXPECT_TRUE(matches("[à-ü].csv", "é.csv"));
  EXPECT_TRUE(matches("?", "\xFF"));
  EXPECT_FALSE(matches("?", "/"));
}

TEST(Glob, ReadsClasses) {
  EXPECT_TRUE(matches("x[0-9].csv", "x7.csv"));
  EXPECT_FALSE(matches("x[0-9].csv", "xa.csv"));
  EXPECT_TRUE(matches("x[!0-9].csv", "xa.csv"));
  EXPECT_FALSE(matches("x[!0-9].csv", "x7.csv"));
  EXPECT_TRUE(matches("[]a]", "]"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_FALSE(matches("a[!b]c", "a/c"));
  EXPECT_TRUE(matches("a[b", "a[b"));  // nothing closes it
  EXPECT_FALSE(matches("[ab]", ""));
}

TEST(Glob, TakesAnEscapedCharacterAsItIs) {
  EXPECT_TRUE(matches("\\*.csv", "*.csv"));
  EXPECT_FALSE(matches("\\*.csv", "a.csv"));
  EXPECT_TRUE(matches("[\\]]", "]"));
  EXPECT_TRUE(matches("a\\", "a\\"));
}

TEST(Glob, DoesNotTakeForeverForManyStars) {
  std::string pattern, path;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(matches(pattern + "b", std::string(200, 'a')));
  for (int i = 0; i < 50; ++i) {
    pattern += "**/a*/";
    path += "aaaa/";
  }
  EXPECT_FALSE(matches(pattern + "b", path + "c"));
  EXPECT_FALSE(matches(std::string(5000, '['), std::string(200, 'a')));
}

TEST(Glob, KnowsWhichDirectoriesItNeedNotLookInto) {
  EXPECT_TRUE(may_match_beneath("a/*.csv", ""));
  EXPECT_TRUE(may_match_beneath("a/*.csv", "a"));
  EXPECT_FALSE(may_match_beneath("a/*.csv", "b"));
  EXPECT_FALSE(may_match_beneath("a/*.csv", "a/b"));
  EXPECT_FALSE(may_match_beneath("*.csv", "a"));
  EXPECT_TRUE(may_match_beneath("y=*/**", "y=1/m=2"));
  EXPECT_FALSE(may_match_beneath("y=*/**", "x=1/m=2"));
  EXPECT_TRUE(may_match_beneath("**/x/*.csv", "a/b"));
  EXPECT_TRUE(may_match_beneath("a/**", "a/b/c"));
}

TEST(Glob, KnowsAPatternFromAName) {
  EXPECT_FALSE(is_pattern("a/b-1.csv"));
  EXPECT_TRUE(is_pattern("a/*.csv"));
  EXPECT_TRUE(is_pattern("a/[b].csv"));
}

}  // namespace
}  // namespace etl::locations
