#include "files/problems.h"

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

pg::Failure explain_csv(const Source& source, const std::string& message, const std::string& record) {
  // CSV Error on Line: 4 / Original Line: 3,z / Expected Number of Columns: 3 Found: 2 / Possible fixes: ...
  const std::string original = line_after(message, "Original Line: ");
  std::string reason =
      message.substr(message.find("\nOriginal Line: ") + 1 + strlen("Original Line: ") + original.size());
  reason = reason.substr(0, reason.find("\nPossible "));
  if (reason.starts_with('\n')) reason.erase(0, 1);
  reason = reason.substr(0, reason.find('\n'));
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT,
                     pg::format("file \"%s\", record %s: %s", source.name.c_str(), record.c_str(), reason.c_str()),
                     original.empty() ? "" : "The record is: " + original.substr(0, 1000),
                     "Mend the file, set the job's reader_options, or let on_bad_row => 'reject' put such rows aside.");
}

}  // namespace

pg::Failure explain(const Source& source, const QueryError& error) {
  const std::string message = without_path(error.what(), source);
  const std::string record = line_after(message, "CSV Error on Line: ");
  if (!record.empty()) return explain_csv(source, message, record);
  if (error.kind() == DUCKDB_ERROR_OUT_OF_MEMORY || message.find("Out of Memory") != std::string::npos)
    return pg::Failure(ERRCODE_OUT_OF_MEMORY, pg::format("not enough memory to read file \"%s\"", source.name.c_str()),
                       first_line(message), "Increase etl_orchestrator.file_memory_limit, or decrease file_threads.");
  return pg::Failure(ERRCODE_BAD_COPY_FILE_FORMAT, pg::format("file \"%s\" cannot be read", source.name.c_str()),
                     first_line(message));
}

}  // namespace etl::files
