// What a load fills: which columns of the table, from what of the file.
#pragma once

#include "files/converter.h"
#include "files/reader.h"
#include "pg/memory.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace etl::files {

struct LoadedColumn {
  std::string name;  // the file's; empty: of no single one
  int attribute;     // number of the table's column
  Converter converter;
};

// A column that has the same value in each row of the file, or the row's number.
struct FixedColumn {
  int attribute;
  std::optional<std::string> text;
  bool is_row_number;
  Datum datum;
};

class LoadedColumns {
 public:
  // `as_text`: everything is read as text. Datums and descriptors live as long as this.
  LoadedColumns(const Database& database, const LoadRequest& request, bool as_text);

  // The query that gives the loaded columns, in their order, of the file or a piece of it.
  std::string query(const Source& source, const ReaderOptions& options, const CsvReading& reading) const;

  std::vector<LoadedColumn>& loaded() { return loaded_; }
  const std::vector<LoadedColumn>& loaded() const { return loaded_; }
  const std::vector<FixedColumn>& fixed() const { return fixed_; }

  // Numbers of the loaded and the fixed ones.
  std::vector<int> attributes() const;

  const FormData_pg_attribute& target(int attribute) const { return *TupleDescAttr(columns_, attribute - 1); }

 private:
  std::vector<std::string> json_types() const;
  std::vector<std::string> file_types() const;
  FileColumn file_column(size_t number, const std::string& type) const;
  void add(const Match& match, const std::string& type);
  void add_rescue();
  void add_fixed(int attribute, const std::optional<std::string>& text);

  const Database& database_;
  const LoadRequest& request_;
  const bool as_text_;
  pg::Memory memory_;
  TupleDesc columns_;
  std::vector<LoadedColumn> loaded_;
  std::vector<FixedColumn> fixed_;
};

}  // namespace etl::files
