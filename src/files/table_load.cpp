#include "files/table_load.h"

#include "files/duckdb_api.h"

namespace etl::files {

LoadResult load_table(const LoadRequest&) {
  return {};
}

}  // namespace etl::files
