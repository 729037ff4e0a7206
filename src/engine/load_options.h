// How a job loads files into its table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace etl {

enum class LoadMode { kReplace, kAppend, kUpsert };

// What a job says about loading: columns of setup.load_jobs.
struct LoadOptions {
  std::string table;  // "schema.table" as SQL writes it
  LoadMode mode = LoadMode::kReplace;
  std::vector<std::string> key_columns;  // of kUpsert
  std::string reader_options = "{}";     // JSON
  bool puts_rows_aside = false;          // on_bad_row = 'reject'
  std::optional<int64_t> reject_limit;   // most rows of one file
  std::optional<double> reject_share;    // likewise, of all its rows, 0 to 1
  std::string rescue_column;             // or empty
  bool provenance = false;
  // The table must belong to the current user, as it did when the job was discovered from it.
  bool must_be_owned = false;
};

}  // namespace etl
