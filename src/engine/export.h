// Tables on their way out, into files of a location.
#pragma once

#include "pg/error.h"

namespace etl {

struct ExportOrder {
  std::string table;  // or view, as the caller's search_path finds it
  std::string location;
  std::string format = "parquet";
  std::vector<std::string> partition_by;
  std::optional<std::string> path;
  bool replace = false;  // what no export wrote, too
};

struct ExportedFile {
  std::string path;  // beneath the location
  int64_t rows;
  int64_t bytes;
  int64_t modified_ns;
};

// Writes what the current user may SELECT; the files appear at commit. What it raises: sql/export.sql.
std::vector<ExportedFile> export_table(const ExportOrder& order);

struct RemovedFile {
  std::string location;
  std::string path;
  int64_t bytes;
  TimestampTz exported_at;
};

// Removes what is older than the retention of its location, in one location or in all that the current user owns.
std::vector<RemovedFile> drop_expired_files(const std::optional<std::string>& location);

}  // namespace etl
