// What a job does, inside the transaction that is open: its SQL or its file, counted.
#pragma once

#include "engine/log_store.h"
#include "pg/transaction.h"

namespace etl {

// Counts what an attempt writes to the table that its job declares. Each call needs a transaction.
class DeclaredTable {
 public:
  explicit DeclaredTable(const std::string& name) : name_(name) {}

  void before();

  // Rows written since before(); none where no table is declared, where it is not there, or nobody counts.
  std::optional<int64_t> rows_since() const;

  // True if the planner's idea of the table is out of date after so many rows, and the current user may mend it.
  bool is_worth_analyzing(int64_t rows) const;

  // Has the table analyzed inside the block if it is worth it. False if that failed, of which nothing is left.
  bool analyze_in_block(int64_t rows) const;

 private:
  Oid find() const;

  std::string name_;
  Oid table_ = InvalidOid;
  int64_t rows_before_ = 0;
};

inline constexpr const char* kNotAnalyzed = "the table could not be analyzed";

// Has a table analyzed in a transaction of its own. False if that failed. Called and returns outside a transaction.
bool analyze_apart(const std::string& table);

// Runs a job whose transaction is 'single' as statements of the block; fills in rows and notes of its log entry.
void run_effect(pg::Block& block, const run_store::Work& work, log_store::Entry* entry);

// Failure (undefined_object) if the role that this worker serves has been dropped. Needs a transaction.
void require_own_role();

// Leaves no transaction, timer or pending cancel of what has failed behind.
void forget_failure();

// Tells the job who it is, and sets its limits, until the settings are reset.
void present(const RunKey& run, const Task& task, const run_store::Work& work);

}  // namespace etl
