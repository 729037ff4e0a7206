// Where in a CSV file its records are: DuckDB counts them, people count lines.
//
// DuckDB numbers records from 1, with those that are skipped, the header, and empty lines; rows are numbered from 0,
// without those, and without records that are none.
#pragma once

#include <map>
#include <set>

#include "files/module.h"
#include "locations/csv_record.h"

namespace etl::files {

struct Place {
  int64_t line = 0;  // from 1; 0: not found
  std::string raw;
};

// What is looked for in a file, and where it was found.
struct Search {
  std::set<int64_t> rows;
  std::set<int64_t> records;  // that are no rows
  std::map<int64_t, Place> row_places;
  std::map<int64_t, Place> record_places;
  bool knows_records = true;  // false: which records are no rows is to be found out, too

  bool is_done() const { return row_places.size() == rows.size() && record_places.size() == records.size(); }
};

// Takes the lines of a file one by one and puts them together to records, as a quoted field may contain line ends.
class RecordWalk {
 public:
  RecordWalk(const LoadRequest& request, Search* search);

  void line(std::string_view text);

  // At the end of the file. A quote that has not ended makes all the rest one record.
  void end();

  int64_t line_number() const { return line_; }
  bool has_odd_escape() const { return has_odd_escape_; }  // the last line; see locations::CsvShape
  int64_t open_since() const { return open_since_; }       // the line; 0: all quotes have ended
  bool was_too_long() const { return was_too_long_; }      // a record

 private:
  void end_record();
  bool is_row() const;

  locations::CsvMarks marks_;
  size_t columns_;
  Search* search_;
  int64_t line_;
  int64_t records_;
  int64_t header_;  // its number; 0: there is none
  int64_t rows_ = 0;
  Place record_;
  bool is_open_ = false;  // the next line belongs to it, too
  int64_t open_since_ = 0;
  bool was_too_long_ = false;
  bool has_odd_escape_ = false;
};

}  // namespace etl::files
