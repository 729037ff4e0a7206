#include "crawl/evolution.h"

#include <gtest/gtest.h>

#include "crawl/types.h"

namespace etl::crawl {
namespace {

using Texts = std::vector<std::string>;

Texts changes(const Evolution& evolution) {
  Texts texts;
  for (const Change& change : evolution.changes) texts.push_back(change.text());
  return texts;
}

class EvolutionTest : public ::testing::Test {
 protected:
  Evolution evolve_to(const std::vector<files::Column>& columns, const Policy& policy = {}) const {
    return evolve(table, mapping, columns, {}, policy);
  }
  std::vector<TableColumn> table = {{"id", "integer"}, {"order_date", "date"}};
  std::vector<ColumnMapping> mapping = {{"ID", "id"}, {"Order Date", "order_date"}};
};

TEST_F(EvolutionTest, DoesNothingForTheSameShape) {
  const Evolution same = evolve_to({{"ID", "integer"}, {"Order Date", "date"}});
  EXPECT_TRUE(same.changes.empty());
  EXPECT_EQ(same.mapping, mapping);
}

TEST_F(EvolutionTest, NeverNarrowsNorDrops) {
  table = {{"id", "bigint"}, {"order_date", "text"}, {"gone", "integer"}};
  EXPECT_TRUE(evolve_to({{"ID", "integer"}}).changes.empty());
}

TEST_F(EvolutionTest, TakesNoNewsFromColumnsWithoutValues) {
  EXPECT_TRUE(evolve_to({{"ID", "text", false}, {"Order Date", "text", false}}).changes.empty());
}

TEST_F(EvolutionTest, WidensTypes) {
  EXPECT_EQ(changes(evolve_to({{"ID", "bigint"}, {"Order Date", "timestamp"}})),
            (Texts{"alter column id from integer to bigint", "alter column order_date from date to timestamp"}));
  EXPECT_EQ(changes(evolve_to({{"ID", "text"}})), (Texts{"alter column id from integer to text"}));
}

TEST_F(EvolutionTest, AddsColumnsUnderNamesThatAreFree) {
  table.push_back({"note", "text"});  // somebody's own
  const Evolution added = evolve_to({{"ID", "integer"}, {"Order Date", "date"}, {"Note", "text"}, {"", "integer"}});
  EXPECT_EQ(changes(added), (Texts{"add column note_2 text", "add column column3 integer"}));
  EXPECT_EQ(added.mapping[2], (ColumnMapping{"Note", "note_2"}));
}

TEST_F(EvolutionTest, TellsColumnsOfOneNameApart) {
  mapping.push_back({"ID", "id_2"});
  table.push_back({"id_2", "integer"});
  EXPECT_EQ(changes(evolve_to({{"ID", "integer"}, {"Order Date", "date"}, {"ID", "bigint"}})),
            (Texts{"alter column id_2 from integer to bigint"}));
}

TEST_F(EvolutionTest, ObeysPolicy) {
  const std::vector<files::Column> columns = {{"ID", "bigint"}, {"Order Date", "date"}, {"New", "text"}};
  const Evolution ignored = evolve_to(columns, {OnNewColumn::kIgnore, OnTypeChange::kIgnore});
  EXPECT_TRUE(ignored.changes.empty());
  EXPECT_EQ(ignored.notes.size(), 2u);
  EXPECT_EQ(ignored.mapping, mapping);
  const Evolution failed = evolve_to(columns, {OnNewColumn::kFail, OnTypeChange::kFail});
  EXPECT_EQ(failed.problems.size(), 2u);
}

TEST_F(EvolutionTest, LeavesTypesThatSomebodyChose) {
  table[0].type = "character varying(20)";
  EXPECT_TRUE(evolve_to({{"ID", "text"}}).changes.empty());
}

TEST_F(EvolutionTest, AddsPartitions) {
  EXPECT_EQ(changes(evolve(table, mapping, {}, {{"year", "integer"}, {"id", "text"}}, {})),
            (Texts{"add column year integer", "alter column id from integer to text"}));
}

TEST(WiderType, HoldsBoth) {
  EXPECT_EQ(wider_type("integer", "bigint"), "bigint");
  EXPECT_EQ(wider_type("bigint", "numeric"), "numeric");
  EXPECT_EQ(wider_type("integer", "double precision"), "double precision");
  EXPECT_EQ(wider_type("bigint", "double precision"), "numeric");
  EXPECT_EQ(wider_type("real", "double precision"), "double precision");
  EXPECT_EQ(wider_type("integer", "real"), "double precision");
  EXPECT_EQ(wider_type("numeric(10,2)", "numeric(8,4)"), "numeric(12,4)");
  EXPECT_EQ(wider_type("numeric(10,2)", "integer"), "numeric(12,2)");
  EXPECT_EQ(wider_type("numeric(10,2)", "numeric"), "numeric");
  EXPECT_EQ(wider_type("date", "timestamp without time zone"), "timestamp");
  EXPECT_EQ(wider_type("timestamp", "timestamptz"), "text");
  EXPECT_EQ(wider_type("boolean", "integer"), "text");
  EXPECT_EQ(wider_type("uuid", "jsonb"), "text");
  EXPECT_EQ(wider_type("citext", "date"), "text");
  EXPECT_EQ(conversion("double precision", "numeric"), "%s::text::numeric");
  EXPECT_TRUE(holds("timestamp without time zone", "timestamp"));
}

TEST(WiderType, IsTheSameInAnyOrderAndHoldsBothAgain) {
  const Texts types = {
      "boolean", "smallint",  "integer",     "bigint", "numeric", "numeric(5,2)", "real",  "double precision",
      "date",    "timestamp", "timestamptz", "time",   "uuid",    "jsonb",        "bytea", "text"};
  for (const std::string& a : types) {
    for (const std::string& b : types) {
      const std::string both = wider_type(a, b);
      EXPECT_EQ(both, wider_type(b, a));
      EXPECT_TRUE(holds(both, a)) << a << " in " << both;
      EXPECT_TRUE(holds(both, b)) << b << " in " << both;
      for (const std::string& c : types)
        EXPECT_EQ(wider_type(both, c), wider_type(a, wider_type(b, c))) << a << ", " << b << ", " << c;
    }
  }
}

files::Shape shape(std::vector<files::Column> columns, std::optional<std::string> dates = {}) {
  files::Shape result;
  result.columns = std::move(columns);
  result.options.date_format = std::move(dates);
  return result;
}

TEST(Merge, TakesAllColumnsAndTheWiderTypes) {
  files::Shape both = shape({{"a", "integer"}, {"b", "text", false}});
  merge(&both, shape({{"b", "date"}, {"a", "bigint"}, {"c", "text"}}));
  ASSERT_EQ(both.columns.size(), 3u);
  EXPECT_EQ(both.columns[0].type, "bigint");
  EXPECT_EQ(both.columns[1].type, "date");
  EXPECT_EQ(both.columns[2].name, "c");
}

TEST(Merge, KeepsOneStyleOfDates) {
  files::Shape both = shape({{"a", "date"}});
  merge(&both, shape({{"a", "date"}}, "%d.%m.%Y"));
  EXPECT_EQ(both.columns[0].type, "date");  // the first file's are in ISO form, which is always understood
  EXPECT_EQ(both.options.date_format, "%d.%m.%Y");
  merge(&both, shape({{"a", "date"}}, "%d/%m/%Y"));
  EXPECT_EQ(both.columns[0].type, "text");
  EXPECT_EQ(both.options.date_format, "%d.%m.%Y");
}

TEST(Alike, AreFilesWithTheSameColumnsReadTheSameWay) {
  EXPECT_TRUE(are_alike(shape({{"a", "integer"}, {"b", "text"}}), shape({{"b", "text"}, {"a", "date"}})));
  EXPECT_FALSE(are_alike(shape({{"a", "integer"}}), shape({{"a", "integer"}, {"b", "text"}})));
  files::Shape semicolons = shape({{"a", "integer"}});
  semicolons.options.delimiter = ";";
  EXPECT_FALSE(are_alike(shape({{"a", "integer"}}), semicolons));
}

}  // namespace
}  // namespace etl::crawl
