#include "files/rejects.h"

#include <algorithm>

#include "files/lines.h"
#include "files/problems.h"
#include "files/reader.h"
#include "files/stream.h"

namespace etl::files {

namespace {

struct Place {
  int64_t line = 0;
  std::string raw;
};

// What is looked for in a file, and where it was found.
struct Search {
  std::set<int64_t> rows;     // that were read, from 0
  std::set<int64_t> records;  // that were not, numbered from 1 as DuckDB does: with the header and empty lines
  std::map<int64_t, Place> row_places;
  std::map<int64_t, Place> record_places;

  bool is_done() const { return row_places.size() == rows.size() && record_places.size() == records.size(); }
};

// Reads the lines of a CSV file and puts them together to records again, as a quoted field may contain line ends.
class RecordWalk {
 public:
  RecordWalk(const ReaderOptions& options, size_t columns, Search* search)
      : marks_(marks_of(options)),
        has_header_(options.header.value_or(true)),
        columns_(columns),
        search_(search),
        line_(options.skip) {}

  void line(std::string_view text) {
    ++line_;
    if (record_.line == 0) {
      record_ = {line_, std::string(text)};
    } else if (record_.raw.size() < kMostLineBytes) {
      record_.raw.append("\n").append(text);
    }
    is_open_ = ends_in_quotes(text, marks_, is_open_);
    if (!is_open_) end_record();
  }

  // At the end of the file. A quote that has not ended makes all the rest one record.
  void end() {
    if (is_open_) open_since_ = record_.line;
    if (record_.line > 0) end_record();
  }

  int64_t open_since() const { return open_since_; }   // the line; 0: all quotes have ended
  bool was_too_long() const { return was_too_long_; }  // a record

 private:
  void end_record() {
    ++records_;
    was_too_long_ = was_too_long_ || record_.raw.size() >= kMostLineBytes;
    if (record_.raw.ends_with('\r')) record_.raw.pop_back();
    const bool is_header = has_header_ && records_ == 1;
    const bool is_empty = columns_ > 1 && record_.raw.empty();
    if (search_->records.contains(records_)) {
      search_->record_places[records_] = record_;
    } else if (!is_header && !is_empty) {
      if (search_->rows.contains(rows_)) search_->row_places[rows_] = record_;
      ++rows_;
    }
    record_ = {};
  }

  CsvMarks marks_;
  bool has_header_;
  size_t columns_;
  Search* search_;
  int64_t line_;
  int64_t records_ = 0;
  int64_t rows_ = 0;
  Place record_;
  bool is_open_ = false;  // the next line belongs to it, too
  int64_t open_since_ = 0;
  bool was_too_long_ = false;
};

// Other formats have no lines.
void find_places(const LoadRequest& request, Search* search) {
  if (request.source.format != Format::kCsv || search->is_done()) return;
  RecordWalk walk(request.options, request.file_columns.size(), search);
  LineReader lines(request.source, request.options);
  std::string line;
  while (!search->is_done() && lines.next(&line)) walk.line(line);
  walk.end();
}

// Also makes sure that what was put aside are rows. Where a quote does not end, or a row has no end, DuckDB goes on
// somewhere, and the rest of the file would be missed by nobody.
void find_all_places(const LoadRequest& request, Search* search) {
  RecordWalk walk(request.options, request.file_columns.size(), search);
  LineReader lines(request.source, request.options);
  std::string line;
  while (lines.next(&line)) walk.line(line);
  walk.end();
  if (walk.open_since() > 0)
    throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT,
                      pg::format("file \"%s\", line %lld: a quote does not end", request.source.name.c_str(),
                                 static_cast<long long>(walk.open_since())),
                      "All the rest of the file would be one row.", "Mend the file, or set the job's reader_options.");
  if (walk.was_too_long()) throw too_long(request.source);
}

struct BadRecord {
  RecordProblem problem;
  std::string column;
};

std::vector<BadRecord> bad_records(const Database& database, const LoadRequest& request) {
  std::vector<BadRecord> found;
  if (request.source.format != Format::kCsv || !request.puts_rows_aside) return found;
  for (const auto& row : query(database,
                               "SELECT DISTINCT ON (line) line::VARCHAR, column_name, csv_line, error_message "
                               "FROM reject_errors ORDER BY line, column_idx"))
    found.push_back({describe(std::stoll(row[0]), row[2], row[3]), row[1]});
  return found;
}

// DuckDB calls the columns c0, c1, ...
std::string file_name_of(const LoadRequest& request, const std::string& column) {
  if (column.size() < 2 || column[0] != 'c') return column;
  const size_t number = std::strtoul(column.c_str() + 1, nullptr, 10);
  return number < request.file_columns.size() ? request.file_columns[number] : column;
}

}  // namespace

void forget_rejects(const Database& database) {
  execute(database.connection(), "DROP TABLE IF EXISTS reject_errors");
  execute(database.connection(), "DROP TABLE IF EXISTS reject_scans");
}

std::vector<Reject> list_rejects(const Database& database, const LoadRequest& request,
                                 const std::vector<BadValue>& bad) {
  const std::vector<BadRecord> records = bad_records(database, request);
  Search search;
  for (const BadRecord& record : records) search.records.insert(record.problem.record);
  for (const BadValue& value : bad) search.rows.insert(value.row);
  if (request.puts_rows_aside && request.source.format == Format::kCsv) find_all_places(request, &search);

  std::vector<Reject> rejects;
  for (const BadRecord& record : records) {
    const RecordProblem& problem = record.problem;
    const Place& place = search.record_places[problem.record];
    rejects.push_back({place.line, file_name_of(request, record.column),
                       printable(place.line > 0 ? place.raw : problem.raw), problem.sqlstate, problem.error});
  }
  for (const BadValue& value : bad) {
    const Place& place = search.row_places[value.row];
    rejects.push_back(
        {place.line, value.column, printable(place.line > 0 ? place.raw : value.text), value.sqlstate, value.error});
  }
  std::stable_sort(rejects.begin(), rejects.end(), [](const Reject& a, const Reject& b) { return a.line < b.line; });
  return rejects;
}

pg::Failure explain_value(const LoadRequest& request, const BadValue& bad, const std::string& detail) {
  Search search;
  search.rows.insert(bad.row);
  find_places(request, &search);
  const Place& place = search.row_places[bad.row];
  const std::string where = place.line > 0
                                ? pg::format("line %lld", static_cast<long long>(place.line))
                                : pg::format("row %lld", static_cast<long long>(bad.row + request.first_row));
  std::string text = pg::format("File \"%s\", %s", request.source.name.c_str(), where.c_str());
  if (!bad.column.empty())
    text += pg::format(", column \"%s\": \"%s\"", bad.column.c_str(), printable(bad.text, kMostShown).c_str());
  text += ".";
  if (!detail.empty()) text += "\n" + detail;
  return pg::Failure(sqlstate_number(bad.sqlstate), bad.error, text, kBadRowHint);
}

pg::Failure explain_record(const LoadRequest& request, const QueryError& error) {
  const std::optional<RecordProblem> problem = record_problem(error);
  if (!problem) return explain(request.source, error);
  Search search;
  search.records.insert(problem->record);
  find_places(request, &search);
  const Place& place = search.record_places[problem->record];
  if (place.line == 0) return explain(request.source, error);
  return pg::Failure(sqlstate_number(problem->sqlstate),
                     pg::format("file \"%s\", line %lld: %s", request.source.name.c_str(),
                                static_cast<long long>(place.line), problem->error.c_str()),
                     "The record is: " + printable(place.raw, kMostShown), hint_for(*problem));
}

}  // namespace etl::files
