#include "files/problems.h"

#include <array>

#include "locations/text.h"

namespace etl::files {

namespace {

// The rest of the line that begins with `start`; empty if there is none.
std::string line_after(const std::string& text, const std::string& start) {
  const size_t at = text.find(start);
  if (at == std::string::npos) return "";
  const size_t begin = at + start.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

// The first line without DuckDB's "Invalid Input Error: ".
std::string first_line(const std::string& message) {
  std::string line = message.substr(0, message.find('\n'));
  const size_t kind = line.find("Error: ");
  if (kind != std::string::npos && kind < 40) line = line.substr(kind + 7);
  return line;
}

std::string without_path(std::string text, const Source& source) {
  const std::string path = path_of(source.descriptor);
  for (size_t at; (at = text.find(path)) != std::string::npos;) text.replace(at, path.size(), source.name);
  return text;
}

}  // namespace

RecordProblem describe(int64_t record, const std::string& raw, const std::string& reason) {
  int wanted, found;
  if (sscanf(reason.c_str(), "Expected Number of Columns: %d Found: %d", &wanted, &found) == 2)
    return {record, raw, "22P04", pg::format("expected %d columns, found %d", wanted, found)};
  if (reason.starts_with("Invalid unicode")) return {record, raw, "22021", "is not in the file's encoding"};
  if (reason.find("unterminated quote") != std::string::npos)
    return {record, raw, "22P04", "a quote does not end where its value does"};
  if (reason.find("Maximum line size") != std::string::npos) return {record, "", "54000", "a line has more than 16 MB"};
  return {record, raw, "22P04", "is no CSV"};
}

namespace {

// What DuckDB says is wrong with a record.
constexpr std::array<std::string_view, 4> kReasons = {"\nExpected Number of Columns", "\nInvalid unicode",
                                                      "\nValue with unterminated quote", "\nMaximum line size"};

}  // namespace

// CSV Error on Line: 4 / Original Line: 3,z / Expected Number of Columns: 3 Found: 2 / Possible fixes: ...
// The record may have several lines, and say anything.
std::optional<RecordProblem> record_problem(const QueryError& error) {
  const std::string message = error.what();
  const std::string record = line_after(message, "CSV Error on Line: ");
  if (record.empty()) return std::nullopt;
  size_t reason_at = 0;
  for (const std::string_view reason : kReasons)
    if (const size_t at = message.rfind(reason); at != message.npos) reason_at = std::max(reason_at, at + 1);
  constexpr std::string_view kOriginal = "\nOriginal Line: ";
  const size_t original = message.find(kOriginal);
  std::string raw;
  if (original < reason_at && original + kOriginal.size() < reason_at)
    raw = message.substr(original + kOriginal.size(), reason_at - original - kOriginal.size());
  while (raw.ends_with('\n')) raw.pop_back();
  return describe(std::strtoll(record.c_str(), nullptr, 10), raw,
                  message.substr(reason_at, message.find('\n', reason_at) - reason_at));
}

int sqlstate_number(const std::string& sqlstate) {
  const char* s = sqlstate.c_str();
  return sqlstate.size() == 5 ? MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]) : ERRCODE_BAD_COPY_FILE_FORMAT;
}

std::string hint_for(const RecordProblem& problem) {
  return problem.sqlstate == "22021" ? kEncodingHint : kBadRowHint;
}

pg::Failure too_long(const Source& source) {
  return pg::Failure(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                     pg::format("file \"%s\" has a row of more than 16 MB", source.name.c_str()), "",
                     "Perhaps a quote is not closed, or it is no CSV file.");
}

pg::Failure too_many_columns(const Source& source, size_t count) {
  return pg::Failure(ERRCODE_TOO_MANY_COLUMNS, pg::format("file \"%s\" has %zu columns", source.name.c_str(), count),
                     pg::format("A table has %zu at most.", kMostColumns));
}

pg::Failure mixed_line_ends(const Source& source) {
  return unreadable(source, "is no CSV file", "Its lines end in different ways: LF, CR LF, CR.");
}

pg::Failure open_quote(const Source& source, int64_t line) {
  return pg::Failure(
      ERRCODE_BAD_COPY_FILE_FORMAT,
      pg::format("file \"%s\", line %lld: a quote does not end", source.name.c_str(), static_cast<long long>(line)),
      "All the rest of the file would be one row.", "Mend the file, or set the job's reader_options.");
}

pg::Failure unreadable(const Source& source, const std::string& problem, const std::string& detail) {
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" %s", source.name.c_str(), problem.c_str()),
                     detail);
}

pg::Failure explain(const Source& source, const QueryError& error) {
  if (const std::optional<RecordProblem> problem = record_problem(error))
    return pg::Failure(sqlstate_number(problem->sqlstate),
                       pg::format("file \"%s\", record %lld: %s", source.name.c_str(),
                                  static_cast<long long>(problem->record), problem->error.c_str()),
                       problem->raw.empty() ? "" : "The record is: " + locations::printable(problem->raw, kMostShown),
                       hint_for(*problem));
  const std::string message = without_path(error.what(), source);
  const auto says = [&](const char* text) { return message.find(text) != std::string::npos; };
  if (says("Parallel CSV Reader")) return too_long(source);  // what it says of a row that no buffer holds
  if (says("state machine")) return mixed_line_ends(source);
  if (says("GZIP")) return unreadable(source, "is damaged, or not compressed with gzip");
  if (source.format == Format::kParquet &&
      (says("Protocol") || says("type:") || says("magic bytes") || says("ooter length") || says("too small")))
    return unreadable(source, "is damaged, or no Parquet file");
  if (error.kind() == DUCKDB_ERROR_OUT_OF_MEMORY || says("Out of Memory"))
    return pg::Failure(ERRCODE_OUT_OF_MEMORY, pg::format("not enough memory to read file \"%s\"", source.name.c_str()),
                       first_line(message), "Increase etl_orchestrator.file_memory_limit, or decrease file_threads.");
  return unreadable(source, "cannot be read", locations::printable(first_line(message), kMostShown));
}

}  // namespace etl::files
