#include "files/problems.h"

namespace etl::files {

namespace {

constexpr const char* kEncodingHint =
    "If the file has another encoding, name it: reader_options => '{\"encoding\": \"latin-1\"}', or utf-16.";

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
  if (reason.find("unterminated quote") != std::string::npos) return {record, raw, "22P04", "a quote does not end"};
  if (reason.find("Maximum line size") != std::string::npos) return {record, "", "54000", "a line has more than 16 MB"};
  return {record, raw, "22P04", reason};
}

// CSV Error on Line: 4 / Original Line: 3,z / Expected Number of Columns: 3 Found: 2 / Possible fixes: ...
std::optional<RecordProblem> record_problem(const QueryError& error) {
  const std::string message = error.what();
  const std::string record = line_after(message, "CSV Error on Line: ");
  if (record.empty()) return std::nullopt;
  constexpr const char* kOriginal = "\nOriginal Line: ";
  const std::string raw = line_after(message, kOriginal);
  const size_t original = message.find(kOriginal);
  std::string rest = original == std::string::npos ? message.substr(message.find('\n') + 1)
                                                   : message.substr(original + strlen(kOriginal) + raw.size());
  while (rest.starts_with('\n')) rest.erase(0, 1);
  return describe(std::strtoll(record.c_str(), nullptr, 10), raw, rest.substr(0, rest.find('\n')));
}

int sqlstate_number(const std::string& sqlstate) {
  const char* s = sqlstate.c_str();
  return sqlstate.size() == 5 ? MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]) : ERRCODE_BAD_COPY_FILE_FORMAT;
}

pg::Failure explain(const Source& source, const QueryError& error) {
  if (const std::optional<RecordProblem> problem = record_problem(error))
    return pg::Failure(sqlstate_number(problem->sqlstate),
                       pg::format("file \"%s\", record %lld: %s", source.name.c_str(),
                                  static_cast<long long>(problem->record), problem->error.c_str()),
                       problem->raw.empty() ? "" : "The record is: " + problem->raw.substr(0, 1000),
                       problem->sqlstate == "22021" ? kEncodingHint : kBadRowHint);
  const std::string message = without_path(error.what(), source);
  if (message.find("Parallel CSV Reader") != std::string::npos)  // what it says of a row that no buffer holds
    return pg::Failure(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                       pg::format("file \"%s\" has a row of more than 16 MB", source.name.c_str()), "",
                       "Perhaps a quote is not closed, or it is no CSV file.");
  if (error.kind() == DUCKDB_ERROR_OUT_OF_MEMORY || message.find("Out of Memory") != std::string::npos)
    return pg::Failure(ERRCODE_OUT_OF_MEMORY, pg::format("not enough memory to read file \"%s\"", source.name.c_str()),
                       first_line(message), "Increase etl_orchestrator.file_memory_limit, or decrease file_threads.");
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" cannot be read", source.name.c_str()),
                     first_line(message));
}

}  // namespace etl::files
