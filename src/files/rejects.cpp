#include "files/rejects.h"

#include <algorithm>

#include "files/problems.h"
#include "files/reader.h"
#include "files/stream.h"

namespace etl::files {

namespace {

constexpr size_t kMostRawBytes = 1 << 24;  // no row is longer

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
    } else if (record_.raw.size() < kMostRawBytes) {
      record_.raw.append("\n").append(text);
    }
    is_open_ = ends_in_quotes(text, marks_, is_open_);
    if (!is_open_) end_record();
  }

 private:
  void end_record() {
    ++records_;
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
};

// Other formats have no lines.
void find_places(const Database& database, const LoadRequest& request, Search* search) try {
  if (request.source.format != Format::kCsv || search->is_done()) return;
  RecordWalk walk(request.options, request.file_columns.size(), search);
  Stream stream(database, "SELECT line FROM " + lines_of(request.source, request.options), [](Batch*) {});
  while (!search->is_done()) {
    const std::optional<Batch> batch = stream.next();
    if (!batch) return;
    duckdb_vector lines = batch->chunk.column(0);
    const auto* texts = static_cast<const duckdb_string_t*>(duckdb_vector_get_data(lines));
    uint64_t* validity = duckdb_vector_get_validity(lines);
    for (size_t i = 0; i < batch->chunk.rows(); ++i) {
      const bool empty = validity != nullptr && !duckdb_validity_row_is_valid(validity, i);
      walk.line(empty ? std::string_view() : text_of(texts[i]));
    }
  }
} catch (const QueryError&) {
  // What cannot be read line by line has no line numbers.
}

struct BadRecord {
  RecordProblem problem;
  std::string column;
};

std::vector<BadRecord> bad_records(const Database& database, const LoadRequest& request) {
  std::vector<BadRecord> found;
  if (request.source.format != Format::kCsv || !request.puts_rows_aside) return found;
  for (const auto& row : query(database,
                               "SELECT DISTINCT ON (line) line, column_name, csv_line, error_message "
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
  query(database, "DROP TABLE IF EXISTS reject_errors");
  query(database, "DROP TABLE IF EXISTS reject_scans");
}

std::vector<Reject> list_rejects(const Database& database, const LoadRequest& request,
                                 const std::vector<BadValue>& bad) {
  const std::vector<BadRecord> records = bad_records(database, request);
  Search search;
  for (const BadRecord& record : records) search.records.insert(record.problem.record);
  for (const BadValue& value : bad) search.rows.insert(value.row);
  find_places(database, request, &search);

  std::vector<Reject> rejects;
  for (const BadRecord& record : records) {
    const RecordProblem& problem = record.problem;
    const Place& place = search.record_places[problem.record];
    rejects.push_back({place.line, file_name_of(request, record.column), place.line > 0 ? place.raw : problem.raw,
                       problem.sqlstate, problem.error});
  }
  for (const BadValue& value : bad) {
    const Place& place = search.row_places[value.row];
    rejects.push_back({place.line, value.column, place.line > 0 ? place.raw : value.text, value.sqlstate, value.error});
  }
  std::stable_sort(rejects.begin(), rejects.end(), [](const Reject& a, const Reject& b) { return a.line < b.line; });
  return rejects;
}

pg::Failure explain_value(const Database& database, const LoadRequest& request, const BadValue& bad,
                          const std::string& detail) {
  Search search;
  search.rows.insert(bad.row);
  find_places(database, request, &search);
  const Place& place = search.row_places[bad.row];
  const std::string where = place.line > 0
                                ? pg::format("line %lld", static_cast<long long>(place.line))
                                : pg::format("row %lld", static_cast<long long>(bad.row + request.first_row));
  std::string text = pg::format("File \"%s\", %s", request.source.name.c_str(), where.c_str());
  if (!bad.column.empty()) text += pg::format(", column \"%s\": \"%s\"", bad.column.c_str(), bad.text.c_str());
  text += ".";
  if (!detail.empty()) text += "\n" + detail;
  return pg::Failure(sqlstate_number(bad.sqlstate), bad.error, text, kBadRowHint);
}

pg::Failure explain_record(const Database& database, const LoadRequest& request, const QueryError& error) {
  const std::optional<RecordProblem> problem = record_problem(error);
  if (!problem) return explain(request.source, error);
  Search search;
  search.records.insert(problem->record);
  find_places(database, request, &search);
  const Place& place = search.record_places[problem->record];
  if (place.line == 0) return explain(request.source, error);
  return pg::Failure(sqlstate_number(problem->sqlstate),
                     pg::format("file \"%s\", line %lld: %s", request.source.name.c_str(),
                                static_cast<long long>(place.line), problem->error.c_str()),
                     "The record is: " + place.raw.substr(0, 1000), kBadRowHint);
}

}  // namespace etl::files
