#include "crawl/names.h"

#include <gtest/gtest.h>

namespace etl::crawl {
namespace {

using Names = std::vector<std::string>;

TEST(FoldedName, IsOneThatNeedsNoQuotes) {
  EXPECT_EQ(folded_name("Order Date"), "order_date");
  EXPECT_EQ(folded_name("  Price (EUR) "), "price_eur");
  EXPECT_EQ(folded_name("a--b..c"), "a_b_c");
  EXPECT_EQ(folded_name("_id"), "_id");
  EXPECT_EQ(folded_name("a__b_"), "a__b_");
  EXPECT_EQ(folded_name("2023"), "_2023");
  EXPECT_EQ(folded_name("order"), "order");
  EXPECT_EQ(folded_name("%"), "");
  EXPECT_EQ(folded_name("__"), "");
  EXPECT_EQ(folded_name(std::string("a\0b", 3)), "a_b");
}

TEST(FoldedName, KeepsLettersOfAllScripts) {
  EXPECT_EQ(folded_name("Größe"), "größe");
  EXPECT_EQ(folded_name("ÉCOLE Ž Ÿ"), "école_ž_ÿ");
  EXPECT_EQ(folded_name("ΑΘΉΝΑ"), "αθήνα");
  EXPECT_EQ(folded_name("ЁЛКА"), "ёлка");
  EXPECT_EQ(folded_name("日本 語"), "日本_語");
  EXPECT_EQ(folded_name("a\u00a0b\u2014c\u3000d€"), "a_b_c_d");
  EXPECT_EQ(folded_name("a\xff\xfe"
                        "b"),
            "a_b");  // no UTF-8
}

TEST(FoldedName, IsCutBetweenCharacters) {
  EXPECT_EQ(folded_name(std::string(100, 'x')).size(), 63u);
  std::string umlauts;
  for (int i = 0; i < 50; ++i) umlauts += "ä";
  EXPECT_EQ(folded_name(umlauts).size(), 62u);
}

TEST(ColumnNames, AreUnique) {
  EXPECT_EQ(column_names_for({"id", "ID", "Id", "id_2"}, {}), (Names{"id", "id_2", "id_3", "id_2_2"}));
  EXPECT_EQ(column_names_for({"a", "", "", "%"}, {}), (Names{"a", "column1", "column2", "column3"}));
  EXPECT_EQ(column_names_for({"_source_file"}, {"_source_file"}), (Names{"_source_file_2"}));
  EXPECT_EQ(column_names_for({"xmin", "CTID"}, {}), (Names{"xmin_", "ctid_"}));
  const std::string longest(63, 'x');
  EXPECT_EQ(column_names_for({longest, longest}, {})[1], std::string(61, 'x') + "_2");
}

}  // namespace
}  // namespace etl::crawl
