// What file names and paths say: types, partitions, and their bytes.
#include <gtest/gtest.h>

#include "locations/file_type.h"
#include "locations/partitions.h"
#include "locations/text.h"

namespace etl::locations {
namespace {

std::string type_name(std::string_view path) {
  const auto type = file_type_of(path);
  return type ? name_of(*type) : "none";
}

TEST(FileType, FollowsFromTheEndOfTheName) {
  EXPECT_EQ(type_name("a.csv"), "csv");
  EXPECT_EQ(type_name("x/A.B.CSV.Gz"), "csv.gz");
  EXPECT_EQ(type_name("a.json"), "json");
  EXPECT_EQ(type_name("a.json.gz"), "json.gz");
  EXPECT_EQ(type_name("a.ndjson"), "ndjson");
  EXPECT_EQ(type_name("a.jsonl"), "ndjson");
  EXPECT_EQ(type_name("a.jsonl.gz"), "ndjson.gz");
  EXPECT_EQ(type_name("a.PARQUET"), "parquet");
}

TEST(FileType, IsNoneForAnythingElse) {
  for (const char* path : {"a.txt", "a", "csv", ".csv", "dir/.csv", "a.csv/b", "a.gz", "a.parquet.gz", "acsv", ""})
    EXPECT_EQ(type_name(path), "none") << path;
}

TEST(FileType, HasANameThatIsReadBack) {
  EXPECT_EQ(all_file_types().size(), 7U);
  for (const FileType type : all_file_types()) EXPECT_EQ(file_type_called(name_of(type)), type);
  EXPECT_EQ(file_type_called("JSONL"), file_type_called("ndjson"));
  EXPECT_FALSE(file_type_called("xlsx"));
}

TEST(FileType, LeavesTheStem) {
  EXPECT_EQ(stem_of("a/orders.2024.csv.gz"), "orders.2024");
  EXPECT_EQ(stem_of("a/readme.txt"), "readme.txt");
}

TEST(Partitions, AreReadFromTheDirectories) {
  EXPECT_EQ(partitions_of("sales/year=2024/month=01/part.csv"),
            (std::vector<Partition>{{"year", "2024"}, {"month", "01"}}));
  EXPECT_EQ(partitions_of("a=1.csv"), std::vector<Partition>{});
  EXPECT_EQ(partitions_of("=1/x/y.csv"), std::vector<Partition>{});
  EXPECT_EQ(partitions_of("a=b=c/x.csv"), (std::vector<Partition>{{"a", "b=c"}}));
  EXPECT_EQ(partitions_of("a=/x.csv"), (std::vector<Partition>{{"a", ""}}));
}

TEST(Partitions, AreDecoded) {
  EXPECT_EQ(partitions_of("at%20city=K%C3%B6ln%2F50%25/x.csv"), (std::vector<Partition>{{"at city", "Köln/50%"}}));
  EXPECT_EQ(partitions_of("a=__HIVE_DEFAULT_PARTITION__/x.csv"), (std::vector<Partition>{{"a", std::nullopt}}));
}

TEST(Partitions, AreReadBackAsTheyWereWritten) {
  for (const std::optional<std::string>& value : {std::optional<std::string>("2024-01-31 12:00"),
                                                  {"a/b%2F=\\"},
                                                  {""},
                                                  {"Köln {1} [x]*?"},
                                                  {"\x01\n"},
                                                  {".."},
                                                  {}})
    for (const char* name : {"year", "_x", ".x", "a=b/c", "Straße %41"})
      EXPECT_EQ(partitions_of(partition_directory(name, value) + "/x.csv"), (std::vector<Partition>{{name, value}}));
  EXPECT_EQ(partition_directory("day", "2024-01-31 12:00"), "day=2024-01-31 12%3A00");
  EXPECT_EQ(partition_directory(".x", "."), "%2Ex=.");
}

TEST(Partitions, StayAsTheyStandWhereDecodingGivesNoText) {
  EXPECT_EQ(partitions_of("a=%FF/b=%00/c=%zz/d=%2/x.csv"),
            (std::vector<Partition>{{"a", "%FF"}, {"b", "%00"}, {"c", "%zz"}, {"d", "%2"}}));
}

TEST(Partitions, AreNotPartOfADataSetsDirectory) {
  EXPECT_EQ(directory_above_partitions("sales/eu/year=2024/month=01/part.csv"), "sales/eu");
  EXPECT_EQ(directory_above_partitions("year=2024/part.csv"), "");
  EXPECT_EQ(directory_above_partitions("part.csv"), "");
  EXPECT_EQ(directory_above_partitions("year=2024/raw/part.csv"), "year=2024/raw");
}

TEST(Text, KnowsUtf8) {
  for (const char* good : {"", "abc", "é", "€", "𝄞", "\xF4\x8F\xBF\xBF", "12345678é2345678"})
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xC3", "a\xC3(", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"})
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
}

TEST(Text, IsPrintedWhereItIsNone) {
  EXPECT_EQ(printable("plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "plain \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(printable("caf\xe9,1"), "caf\\xe9,1");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82"),
            "\\xc0\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe2\\x82");
  EXPECT_EQ(printable("ab\xc3\xa9", 3), "ab");
  EXPECT_EQ(printable("abc", 2), "ab");
}

TEST(Text, FindsWhatIsWrongWhereverThePiecesEnd) {
  const std::string text = std::string("0123456789é€𝄞", 19) + std::string("\0x", 2) + "\xE2\x82z";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    Utf8Check check;
    for (size_t at = 0; at < text.size(); at += piece) check.read(std::string_view(text).substr(at, piece));
    check.end();
    EXPECT_EQ(check.first_nul(), 19) << piece;
    EXPECT_EQ(check.first_invalid(), 21) << piece;
  }
}

TEST(Text, MissesTheEndOfACutCharacter) {
  Utf8Check check;
  check.read("abc\xE2\x82");
  EXPECT_FALSE(check.first_invalid());
  check.end();
  EXPECT_EQ(check.first_invalid(), 3);
}

}  // namespace
}  // namespace etl::locations
