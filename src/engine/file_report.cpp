#include "engine/file_report.h"

#include "engine/files_module.h"
#include "pg/guard.h"

namespace etl {

namespace {

using Columns = std::optional<std::vector<std::string>>;

constexpr int64_t kRowsLookedAt = 1000;

Columns read_columns(const files::Source& source) {
  const files::Module& module = files_module("reading the columns of compressed, JSON and Parquet files");
  const std::unique_ptr<files::Session> session = module.open(file_limits());
  if (source.format != files::Format::kCsv) return session->column_names(source, {});
  std::vector<std::string> names;
  for (files::Column& column : session->sniff(source, {}, kRowsLookedAt).columns)
    names.push_back(std::move(column.name));
  return names;
}

// The columns of a file that takes the module etl_files to read: compressed, Parquet or JSON. None, which is "not
// checked", where it is not installed or finds none.
Columns columns_by_module(const locations::File& file, locations::FileType type) {
  if (!has_files_module()) return std::nullopt;
  try {
    Columns columns = read_columns(module_source(file, type));
    return columns && columns->empty() ? std::nullopt : columns;
  } catch (const pg::Failure& failure) {
    throw locations::FileError(
        locations::FileError::Kind::kBroken,
        std::string("cannot be read: ") + (failure.detail().empty() ? failure.what() : failure.detail()));
  }
}

}  // namespace

locations::FileReport validate_file(const Location& location, const std::string& path,
                                    const std::optional<std::vector<std::string>>& expected_columns) {
  const locations::FileCheck check{expected_columns, locations::now_ns(), columns_by_module,
                                   [] { pg::guard([] { CHECK_FOR_INTERRUPTS(); }); }};
  try {
    return locations::check_file(locations::Directory::open(location.directory), location.rules, path, check);
  } catch (const locations::FileError& error) {
    locations::FileReport report;
    report.findings.push_back("is in a location whose directory " + std::string(error.what()));
    return report;
  }
}

}  // namespace etl
