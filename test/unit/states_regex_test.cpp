#include "states/regex.h"

#include <gtest/gtest.h>

#include <string>

namespace etl::states {
namespace {

bool matches(std::string_view pattern, std::string_view text, std::string_view flags = "") {
  return Regex(pattern, flags).matches(text);
}

TEST(StatesRegex, MatchesTheWholeText) {
  struct Case {
    const char* pattern;
    const char* text;
    bool expected;
  };
  for (const auto& [pattern, text, expected] : {Case{"", "", true},
                                                Case{"", "a", false},
                                                Case{"abc", "abc", true},
                                                Case{"b", "abc", false},
                                                Case{"a|bc", "bc", true},
                                                Case{"a|bc", "abc", false},
                                                Case{"a*", "", true},
                                                Case{"a*", "aaaa", true},
                                                Case{"a+", "", false},
                                                Case{"ab?c", "ac", true},
                                                Case{"a{2,3}", "a", false},
                                                Case{"a{2,3}", "aaa", true},
                                                Case{"a{2,3}", "aaaa", false},
                                                Case{"a{2,}", "aaaaa", true},
                                                Case{"a{2}", "aa", true},
                                                Case{"(ab)+", "abab", true},
                                                Case{"(?:a|b)*c", "ababc", true},
                                                Case{"(?<name>a)b", "ab", true},
                                                Case{".*@.*\\.com", "x@y.com", true},
                                                Case{".", "é", true},
                                                Case{".", "\n", false},
                                                Case{"[a-c]+", "abcba", true},
                                                Case{"[^a-c]+", "xyz", true},
                                                Case{"[^a-c]", "a", false},
                                                Case{"[]a]+", "]a", true},
                                                Case{"[a-]+", "-a", true},
                                                Case{"[\\d.]+", "1.5", true},
                                                Case{"[^\\D5]+", "123", true},
                                                Case{"[^\\D5]+", "15", false},
                                                Case{"\\d{3}-\\w+", "123-a_B", true},
                                                Case{"\\s\\S", " x", true},
                                                Case{"\\x41\\u00e9\\.", "Aé.", true},
                                                Case{"^a$", "a", true},
                                                Case{"a^b", "ab", false},
                                                Case{"\\ba\\b.*", "a b", true},
                                                Case{"a\\Bb", "ab", true},
                                                Case{"a*?b", "aab", true},
                                                Case{"(a*)*", "aaa", true},
                                                Case{"(|a)+", "aa", true},
                                                Case{"()*x", "x", true},
                                                Case{"[é-ü]", "ö", true}}) {
    EXPECT_EQ(matches(pattern, text), expected) << pattern << " on " << text;
  }
}

TEST(StatesRegex, KnowsFlags) {
  EXPECT_TRUE(matches("aBc", "AbC", "i"));
  EXPECT_TRUE(matches("[a-c]", "B", "i"));
  EXPECT_FALSE(matches("[^a-c]", "B", "i"));
  EXPECT_TRUE(matches("(?i)abc", "ABC"));
  EXPECT_TRUE(matches("a.b", "a\nb", "s"));
  EXPECT_TRUE(matches("a$\n^b", "a\nb", "m"));
  EXPECT_FALSE(matches("a$\n^b", "a\nb"));
}

TEST(StatesRegex, RefusesWhatItCannotDo) {
  for (const char* pattern :
       {"(",     ")",     "a)",     "[",     "[a",  "*",      "a{",     "a{1",    "a{2,1}", "a{99999}", "\\",  "(a)\\1",
        "(?=a)", "(?!a)", "(?<=a)", "(?>a)", "a++", "\\p{L}", "[a[b]]", "[a&&b]", "[c-a]",  "\\xZZ",    "(?<", "\\Q"}) {
    EXPECT_THROW(Regex(pattern, ""), RegexSyntaxError) << pattern;
  }
  EXPECT_THROW(Regex("a", "x"), RegexSyntaxError);
}

TEST(StatesRegex, TakesNoLongerOnHostilePatterns) {
  const std::string text(50'000, 'a');
  EXPECT_FALSE(matches("(a+)+b", text));
  EXPECT_FALSE(matches("(a|a)*b", text));
  EXPECT_FALSE(matches("(a|aa)+$b", text));
  EXPECT_FALSE(matches("(.*)*(.*)*(.*)*x", text));
}

}  // namespace
}  // namespace etl::states
