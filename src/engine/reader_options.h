// How a job reads its files: column reader_options of setup.load_jobs.
#pragma once

#include "files/module.h"
#include "pg/error.h"

namespace etl {

// A column of the files, and the table's column that takes it.
struct KnownColumn {
  std::string file;
  std::string column;
  bool optional = false;  // some files do not have it
};

struct JobReader {
  files::ReaderOptions options;
  std::optional<std::string> format;  // csv, json, ndjson or parquet; none: as the file's name says
  std::optional<bool> compressed;     // likewise
  std::vector<KnownColumn> columns;   // the shape that a crawler has seen; empty: the file's header says
  bool ignores_new_columns = false;   // of a file, which the table has not
};

// Reads a JSON object. Failure (invalid_parameter_value) that names the key that is wrong, and lists those that are
// known.
JobReader parse_reader_options(const std::string& json);

// The JSON object that gives this reader again.
std::string reader_options_text(const JobReader& reader);

}  // namespace etl
