#include "files/rejects.h"

#include <algorithm>

#include "files/lines.h"
#include "files/problems.h"
#include "files/reader.h"
#include "files/record_walk.h"
#include "files/stream.h"
#include "locations/text.h"

namespace etl::files {

namespace {

// Other formats have no lines.
void find_places(const LoadRequest& request, Search* search) {
  if (request.source.format != Format::kCsv || search->is_done()) return;
  RecordWalk walk(request, search);
  LineReader lines(request.source, request.options);
  std::string line;
  while (!search->is_done() && lines.next(&line)) walk.line(line);
  walk.end();
}

struct BadRecord {
  RecordProblem problem;
  std::string column;
};

std::vector<BadRecord> bad_records(const Database& database) {
  std::vector<BadRecord> found;
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

// COPY's line is that of the text that it was given.
std::string without_copy(const char* context) {
  std::string text = context == nullptr ? "" : context;
  const size_t copy = text.starts_with("COPY ") ? 0 : text.rfind("\nCOPY ");
  if (copy != text.npos) text.erase(copy);
  return text;
}

}  // namespace

BadValue bad_value(const pg::Error& error, int64_t row, const std::string& column, const std::string& text,
                   const std::string& given) {
  std::string message = error.what();
  const std::string quoted = "\"" + given + "\"";
  if (const size_t place = message.find(quoted); text != given && place != message.npos)
    message.replace(place, quoted.size(), "\"" + text + "\" (with decimal_separator \",\")");
  return {row, column, text, unpack_sql_state(error.sqlstate()), message};
}

bool is_of_row(const pg::Error& error) {
  const int category = ERRCODE_TO_CATEGORY(error.sqlstate());
  return category != ERRCODE_TO_CATEGORY(ERRCODE_QUERY_CANCELED) &&
         category != ERRCODE_TO_CATEGORY(ERRCODE_OUT_OF_MEMORY);
}

void require_plain_escapes(const LoadRequest& request) {
  const locations::CsvMarks marks = marks_of(request.options);
  if (request.source.format != Format::kCsv || marks.escape == marks.quote || marks.escape == '\0') return;
  Search nothing;
  RecordWalk walk(request, &nothing);
  LineReader lines(request.source, request.options);
  std::string line;
  while (lines.next(&line)) {
    walk.line(line);
    if (!walk.has_odd_escape()) continue;
    throw pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT,
                      pg::format("file \"%s\", line %lld: the escape mark stands before something else than a quote "
                                 "or itself",
                                 request.source.name.c_str(), static_cast<long long>(walk.line_number())),
                      "The line is: " + locations::printable(line, kMostShown),
                      "Double the mark where it is part of a value, or set the job's reader_options: escape.");
  }
}

void require_ended_quotes(const LoadRequest& request) {
  Search nothing;
  RecordWalk walk(request, &nothing);
  LineReader lines(request.source, request.options);
  std::string line;
  while (lines.next(&line)) walk.line(line);
  walk.end();
  if (walk.open_since() > 0) throw open_quote(request.source, walk.open_since());
}

void forget_rejects(const Database& database) {
  execute(database.connection(), "DROP TABLE IF EXISTS reject_errors");
  execute(database.connection(), "DROP TABLE IF EXISTS reject_scans");
}

std::vector<Reject> list_rejects(const Database& database, const LoadRequest& request, const std::vector<BadValue>& bad,
                                 const Piece* piece) {
  std::vector<Reject> rejects;
  std::map<int64_t, Place> places;  // of rows
  if (piece != nullptr) {
    std::set<int64_t> records;
    for (const BadRecord& record : bad_records(database)) {
      const RecordProblem& problem = record.problem;
      const Place place = piece->record(static_cast<size_t>(problem.record));
      records.insert(problem.record);
      rejects.push_back({place.line, file_name_of(request, record.column),
                         locations::printable(place.line > 0 ? place.raw : problem.raw), problem.sqlstate,
                         problem.error});
    }
    std::set<int64_t> rows;
    for (const BadValue& value : bad) rows.insert(value.row);
    places = piece->rows(rows, records);
  }
  for (const BadValue& value : bad) {
    const Place& place = places[value.row];
    rejects.push_back({place.line, value.column, locations::printable(place.line > 0 ? place.raw : value.text),
                       value.sqlstate, value.error});
  }
  std::stable_sort(rejects.begin(), rejects.end(), [](const Reject& a, const Reject& b) { return a.line < b.line; });
  return rejects;
}

pg::Error explain_value(const LoadRequest& request, const BadValue& bad, const pg::Error& error) {
  Search search;
  search.rows.insert(bad.row);
  search.knows_records = !request.put_aside;
  find_places(request, &search);
  const Place& place = search.row_places[bad.row];
  const std::string where = place.line > 0
                                ? pg::format("line %lld", static_cast<long long>(place.line))
                                : pg::format("row %lld", static_cast<long long>(bad.row + request.first_row));
  std::string text = pg::format("File \"%s\", %s", request.source.name.c_str(), where.c_str());
  if (!bad.column.empty())
    text +=
        pg::format(", column \"%s\": \"%s\"", bad.column.c_str(), locations::printable(bad.text, kMostShown).c_str());
  text += ".";
  const ErrorData& data = error.data();
  if (data.detail != nullptr) text += "\n" + std::string(data.detail);
  // Only what is wrong with a value, or that there is none, puts a row aside.
  const bool could_be_put_aside = !request.put_aside && (!bad.column.empty() || bad.sqlstate == "23502");
  const std::string hint = data.hint != nullptr ? data.hint : could_be_put_aside ? kBadRowHint : kRefusedRowHint;
  return pg::with_help(error, {text, hint, without_copy(data.context), bad.error});
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
                     "The record is: " + locations::printable(place.raw, kMostShown), hint_for(*problem));
}

}  // namespace etl::files
