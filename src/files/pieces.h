// A CSV file in pieces of whole records, for a load that puts rows aside.
//
// DuckDB keeps what it cannot take apart of a file until its query has ended. A query for each piece bounds that,
// however many rows do not fit, and line and text of each are at hand. A piece is UTF-8, without the header, in memory.
#pragma once

#include "files/csv_top.h"
#include "files/lines.h"
#include "files/record_walk.h"

namespace etl::files {

class Piece {
 public:
  const std::string& text() const { return text_; }

  // How it is to be read: what stands above its rows, and with which options.
  CsvTop top() const { return {0, line_end_, {}}; }
  static ReaderOptions options_of(ReaderOptions options);

  // The record of that number, from 1, as DuckDB counts them.
  Place record(size_t number) const;

  // Those that were read as rows, by their numbers from 0, where these records were not.
  std::map<int64_t, Place> rows(const std::set<int64_t>& numbers, const std::set<int64_t>& bad_records) const;

 private:
  friend class Pieces;

  struct Begin {
    int64_t line;
    size_t offset;
  };

  std::string text_;
  std::vector<Begin> records_;
  std::string line_end_;
  bool has_empty_rows_ = false;  // an empty line is one: the file has one column
};

class Pieces {
 public:
  // `columns`: how many the file has.
  Pieces(const Source& source, const ReaderOptions& options, size_t columns);

  // The next piece, in the memory of an earlier one; none at the end of the file. Failure where what was read are no
  // rows: a quote does not end, a record is too long, lines end in different ways.
  std::optional<Piece> next(Piece piece);

 private:
  bool read_record(Piece* piece);
  bool next_line();
  void check_line_end() const;

  const Source source_;
  const size_t columns_;
  LineReader lines_;
  locations::QuoteWalk quotes_;
  std::string line_;
  int64_t line_number_;
  bool is_header_next_;
};

}  // namespace etl::files
