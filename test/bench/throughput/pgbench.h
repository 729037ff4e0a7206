// What every job writes at the least: one row of setup.load_log, in a transaction of its own. pgbench does only that.
#pragma once

#include <pqxx/pqxx>
#include <string>

#include "options.h"

namespace bench {

class Pgbench {
 public:
  // Makes bench.one_row, a copy of setup.load_log with its columns, defaults, constraints and indexes, though not
  // partitioned; and DIRECTORY/one_row.sql, which inserts the row that the engine wrote for the first job of this
  // run. Each client numbers its steps like a run, so that the index on successes fills in the same order.
  Pgbench(pqxx::connection& connection, const Options& options, int64_t run_id);

  // Transactions per second of so many clients, prepared. The table begins empty each time.
  double commits_per_second(int clients);

 private:
  pqxx::connection& connection_;
  std::string program_;
  std::string script_;
  int seconds_;
};

}  // namespace bench
