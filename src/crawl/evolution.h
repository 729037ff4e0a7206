// How a table follows its files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "files/module.h"

namespace etl::crawl {

// A column of a file and the table's column that takes it.
struct ColumnMapping {
  std::string file;
  std::string column;

  bool operator==(const ColumnMapping&) const = default;
};

struct TableColumn {
  std::string name;
  std::string type;  // as format_type() writes it

  bool operator==(const TableColumn&) const = default;
};

enum class OnNewColumn { kAdd, kIgnore, kFail };
enum class OnTypeChange { kWiden, kIgnore, kFail };

struct Policy {
  OnNewColumn on_new_column = OnNewColumn::kAdd;
  OnTypeChange on_type_change = OnTypeChange::kWiden;
};

struct Change {
  std::string column;
  std::string from;  // empty: the column is new
  std::string to;

  std::string text() const;  // "add column x integer", "alter column x from integer to bigint"
};

struct Evolution {
  std::vector<Change> changes;
  std::vector<ColumnMapping> mapping;
  std::vector<std::string> notes;     // what policy left as it is
  std::vector<std::string> problems;  // what policy forbids: nothing is to be done then
};

// What makes a table take files of this shape. Columns are only added, types only widened: what a file does not have
// any more stays, and a column whose type somebody chose (varchar(20), an enum) keeps it. `mapping` is that of before.
// `partitions` are columns that come from the path: added where they are missing.
Evolution evolve(const std::vector<TableColumn>& table, const std::vector<ColumnMapping>& mapping,
                 const std::vector<files::Column>& columns, const std::vector<TableColumn>& partitions,
                 const Policy& policy);

// Do two files have the same columns, in any order, and are they read alike?
bool are_alike(const files::Shape& one, const files::Shape& other);

// Makes `shape` that of its files and of one more: all columns, with types that hold the values of both. Where both
// have dates that are written differently (and neither in ISO form), those of the second are text.
void merge(files::Shape* shape, const files::Shape& other);

}  // namespace etl::crawl
