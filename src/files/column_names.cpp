#include "files/column_names.h"

#include "files/duckdb_api.h"

namespace etl::files {

std::vector<std::string> read_column_names(const Source&, const ReaderOptions&, const Limits&) {
  return {};
}

}  // namespace etl::files
