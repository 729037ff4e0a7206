#include "locations/quote_walk.h"

#include <gtest/gtest.h>

#include <random>

namespace etl::locations {
namespace {

struct Found {
  bool is_open = false;
  bool has_line_ends = false;

  bool operator==(const Found&) const = default;
};

Found walked(std::string_view text, const CsvMarks& marks, size_t piece) {
  QuoteWalk walk(marks);
  for (size_t at = 0; at < text.size(); at += piece) walk.take(text.substr(at, piece));
  return {walk.is_open(), walk.has_quoted_line_ends()};
}

// The same by records.
Found by_lines(std::string_view text, const CsvMarks& marks) {
  Found found;
  while (!text.empty()) {
    const size_t end = text.find_first_of("\r\n");
    found.is_open = ends_in_quotes(text.substr(0, end), marks, found.is_open);
    if (end == text.npos) break;
    found.has_line_ends = found.has_line_ends || found.is_open;
    text.remove_prefix(end + 1);
  }
  return found;
}

TEST(QuoteWalk, KnowsWhetherATextEndsInQuotes) {
  EXPECT_TRUE(walked("id,name\n1,a\n2,\"b\n3,c\n", {}, 100).is_open);
  EXPECT_FALSE(walked("id,name\n1,a\n2,\"b\"", {}, 100).is_open);
  EXPECT_FALSE(walked("5\" disk,a\n", {}, 100).is_open);
}

TEST(QuoteWalk, KnowsLineEndsInQuotes) {
  EXPECT_TRUE(walked("1,\"a\nb\"\n", {}, 100).has_line_ends);
  EXPECT_TRUE(walked("1,\"a\rb\"\n", {}, 100).has_line_ends);
  EXPECT_FALSE(walked("1,\"a\"\n2,\"b\"\n", {}, 100).has_line_ends);
}

TEST(QuoteWalk, BeginsBehindTheByteOrderMark) {
  EXPECT_TRUE(walked("\xef\xbb\xbf\"a\nb\",c\n", {}, 100).has_line_ends);
}

TEST(QuoteWalk, FindsNoQuotesWhereThereAreNone) {
  EXPECT_EQ(walked("a,\"b\nc", {.quote = '\0', .escape = '\0'}, 100), Found());
}

TEST(QuoteWalk, FindsInPiecesWhatRecordsHave) {
  std::mt19937 random(1);
  constexpr std::string_view kCharacters = "\"\",\n\r \\ax";
  for (const CsvMarks& marks : {CsvMarks{}, CsvMarks{.escape = '\\'}, CsvMarks{.delimiter = ' '}}) {
    for (int i = 0; i < 20000; ++i) {
      std::string text;
      for (size_t length = random() % 24; length > 0; --length) text += kCharacters[random() % kCharacters.size()];
      for (const size_t piece : {1, 2, 3, 100}) ASSERT_EQ(walked(text, marks, piece), by_lines(text, marks)) << text;
    }
  }
}

}  // namespace
}  // namespace etl::locations
