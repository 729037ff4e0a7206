#include "engine/file_report.h"

#include "pg/guard.h"

namespace etl {

namespace {

// The columns of a file that takes the module etl_files to read: compressed, Parquet or JSON. None: not checked.
std::optional<std::vector<std::string>> columns_by_module(const locations::File&, locations::FileType) {
  return std::nullopt;
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
