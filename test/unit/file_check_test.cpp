#include "locations/file_check.h"

#include <gtest/gtest.h>

#include "locations/content.h"
#include "temporary_directory.h"

namespace etl::locations {
namespace {

using Names = std::vector<std::string>;

TEST(CsvHeader, IsTheFirstRecord) {
  EXPECT_EQ(csv_header("id,name\n1,a\n", true).columns, (Names{"id", "name"}));
  EXPECT_EQ(csv_header("\xEF\xBB\xBFid,name\r\n", true).columns, (Names{"id", "name"}));
  EXPECT_EQ(csv_header("\"a \"\"b\"\"\",\"c\nd\"\n1,2", true).columns, (Names{"a \"b\"", "c\nd"}));
  EXPECT_EQ(csv_header("id", true).columns, (Names{"id"}));
  EXPECT_EQ(csv_header("", true).columns, Names{});
  EXPECT_EQ(csv_header("\nid", true).columns, Names{});
}

TEST(CsvHeader, FindsTheDelimiter) {
  EXPECT_EQ(csv_header("a;b;c,d\n", true).columns, (Names{"a", "b", "c,d"}));
  EXPECT_EQ(csv_header("a\tb\n", true).columns, (Names{"a", "b"}));
  EXPECT_EQ(csv_header("a|b\n", true).columns, (Names{"a", "b"}));
  EXPECT_EQ(csv_header("\"a;b;c\",d\n", true).columns, (Names{"a;b;c", "d"}));
}

TEST(CsvHeader, MustEnd) {
  EXPECT_EQ(csv_header("\"id,name\n1,a\n", true).problem, "has a first line without end: a quote is left open");
  EXPECT_NE(csv_header("id,na", false).problem, "");
  EXPECT_EQ(csv_header("\"id\"x,name\n", true).problem, "has text behind a quoted name in its first line");
}

TEST(CsvHeader, MayHaveQuotesInsideANameOrALineEndInQuotes) {
  EXPECT_EQ(csv_header("5\" disk,price\n1,2\n", true).columns, (Names{"5\" disk", "price"}));
  EXPECT_EQ(csv_header("id;\"Preis\nEUR\";menge\n", true).columns, (Names{"id", "Preis\nEUR", "menge"}));
}

TEST(CsvHeader, IsComparedByNames) {
  EXPECT_EQ(header_problems({" ID ", "Name"}, Names{"name", "id"}), Names{});
  EXPECT_EQ(header_problems({"id", "", "id", "x"}, Names{"id", "name"}),
            (Names{"column \"name\" is missing", "column 2 has no name", "column \"id\" comes twice",
                   "column \"x\" is not expected"}));
  EXPECT_EQ(header_problems({"id", "x"}, std::nullopt), Names{});
}

class FileCheckTest : public testing::Test {
 protected:
  FileReport check(const std::string& path, std::optional<Names> expected = std::nullopt,
                   const Rules& rules = {}) const {
    return check_file(Directory::open(place_.path()), rules, path, {std::move(expected), now_ns(), {}, {}});
  }
  Names findings(const std::string& path, const std::string& content) const {
    place_.write(path, content);
    return check(path).findings;
  }

  TemporaryDirectory place_;
};

TEST_F(FileCheckTest, FindsNothingWrongWithAGoodFile) {
  place_.write("a.csv", "id,name\n1,é\n");
  const FileReport report = check("a.csv", Names{"id", "name"});
  EXPECT_EQ(report.findings, Names{});
  EXPECT_TRUE(report.exists && report.is_readable && *report.is_accepted && *report.header_matches && *report.is_utf8);
  EXPECT_EQ(report.columns, (Names{"id", "name"}));
  EXPECT_EQ(report.facts->size, 13);
}

TEST_F(FileCheckTest, SaysWhatItDidNotCheck) {
  place_.write("a.csv.gz", "\x1F\x8B\x08zzzz");
  const FileReport report = check("a.csv.gz", Names{"id"});
  EXPECT_EQ(report.findings, Names{});
  EXPECT_FALSE(report.columns || report.header_matches || report.is_utf8);
}

TEST_F(FileCheckTest, TellsEverythingAtOnce) {
  place_.write("a.csv", std::string("id,id\n\0\xFF\n", 9));
  const FileReport report = check("a.csv", Names{"id", "name"}, {.min_size = 100, .stable_for_ns = 3600'000'000'000});
  EXPECT_EQ(report.findings,
            (Names{"has 9 bytes, fewer than 100", "is not UTF-8 from byte 8 on", "holds a NUL at byte 7",
                   "column \"name\" is missing", "column \"id\" comes twice"}));
  EXPECT_FALSE(*report.is_accepted || *report.header_matches || *report.is_utf8);
}

TEST_F(FileCheckTest, DoesNotLookIntoFilesThatAreKeptOut) {
  const Names kept_out{"_a.csv", "secret/b.csv", "c.csv", "d.json"};
  place_.directory("secret");
  for (const std::string& path : kept_out) place_.write(path, "secret\n\xFF");
  const Rules rules{
      .file_types = {*file_type_called("csv")}, .name_pattern = "[!c]*", .exclusions = {"secret"}, .min_size = 100};
  for (const std::string& path : kept_out) {
    const FileReport report = check(path, Names{"id"}, rules);
    ASSERT_EQ(report.findings.size(), 2U) << path;
    EXPECT_EQ(report.findings[1], "has 8 bytes, fewer than 100");
    EXPECT_FALSE(*report.is_accepted || report.columns || report.header_matches || report.is_utf8) << path;
  }
}

TEST_F(FileCheckTest, DoesNotThrowForWhatCannotBeRead) {
  place_.directory("x.csv");
  EXPECT_EQ(check("none.csv").findings, Names{"does not exist"});
  EXPECT_FALSE(check("none.csv").exists);
  EXPECT_EQ(check("x.csv").findings, Names{"is a directory"});
  EXPECT_TRUE(check("x.csv").exists);
  EXPECT_FALSE(check("x.csv").is_readable);
  EXPECT_EQ(check("../x.csv").findings.size(), 1U);
  EXPECT_FALSE(check("../x.csv").exists);
}

TEST_F(FileCheckTest, KnowsContentThatContradictsTheName) {
  EXPECT_EQ(findings("a.csv.gz", "id,name\n"), Names{"is not compressed with gzip"});
  EXPECT_EQ(findings("b.json.gz", "\x1F"), Names{"is not compressed with gzip"});
  EXPECT_EQ(findings("c.parquet", "id,name\n"), Names{"is no Parquet file"});
  EXPECT_EQ(findings("d.parquet", "PAR1123456789"), Names{"is an incomplete Parquet file: its end is missing"});
  EXPECT_EQ(findings("e.parquet", "PAR112345PAR1"), Names{});
  EXPECT_EQ(findings("f.json", "PAR1"), Names{"is a Parquet file, though its name does not say so"});
  EXPECT_EQ(findings("g.csv", "\xFF\xFEi").front(), "is encoded in UTF-16, though its name does not say so");
  EXPECT_EQ(findings("h.csv", "\x1F\x8B\x08").front(), "is compressed with gzip, though its name does not say so");
  EXPECT_EQ(findings("i.csv", ""), Names{"is empty"});
  EXPECT_EQ(findings("j.csv", "\"id,name\n1,2\n"), Names{"has a first line without end: a quote is left open"});
  EXPECT_EQ(findings("k.txt", "x"), Names{"is of no known file type"});
}

TEST_F(FileCheckTest, AsksForColumnsThatItCannotRead) {
  place_.write("a.json", "[]");
  const FileCheck by_other{Names{"x"}, 0, [](const File&, FileType) { return Names{"x"}; }, {}};
  EXPECT_EQ(check_file(Directory::open(place_.path()), {}, "a.json", by_other).header_matches, true);
}

TEST_F(FileCheckTest, CanBeEnded) {
  place_.write("a.csv", "id\n");
  const FileCheck cancelled{{}, 0, {}, [] { throw std::string("cancelled"); }};
  EXPECT_THROW(check_file(Directory::open(place_.path()), {}, "a.csv", cancelled), std::string);
}

}  // namespace
}  // namespace etl::locations
