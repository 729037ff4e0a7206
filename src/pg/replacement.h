// Replacing the content of a table without keeping its readers out.
//
// The new content goes into a heap of its own, frozen, then the table takes over that heap's files:
//
//   lock EXCLUSIVE          writers, vacuum and DDL are held off; readers read the old rows
//   fill heap()             by whoever has the rows; nobody else can see that heap
//   exchange the files      in pg_class, where others see it at commit
//   build the indexes       each into a new file, at once instead of row by row
//   the caller's last work  ANALYZE, which finds the new rows
//   lock ACCESS EXCLUSIVE   waits for readers, a moment at a time, so that those who come later never wait long
//   commit                  the old files go
//
// Of the table itself nothing changes but its files: its oid, and what refers to it, stay. The rows are frozen, so that
// a snapshot that is older than the commit finds the new ones, instead of none.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// Why the content of a table cannot be replaced in this way by the current user, as the end of a sentence ("the table
// is partitioned"); empty if it can. To delete and insert in ordinary ways works then, or fails with the right error.
std::string why_not_replaceable(Oid table);

class Replacement {
 public:
  // Waits for writers, as TRUNCATE would. Failure (serialization_failure) if the table has changed meanwhile, so that
  // it is no longer replaceable. To be committed or rolled back with the transaction or subtransaction it was made in.
  explicit Replacement(Oid table);
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  // The heap to be filled: of the same columns as the table, dropped ones included, but without its constraints,
  // defaults and expressions of generated columns. See RowWriter.
  Oid heap() const { return heap_; }

  // Makes the content of heap() that of the table; nothing may be written to either afterwards. Calls `before_lock`
  // when this transaction finds the new content in the table, and others still the old one. Waits for readers up to
  // `patience_ms`. Failure (lock_not_available) if one is still there; errors of unique indexes are those of COPY.
  void swap_in(int patience_ms, const std::function<void()>& before_lock);

 private:
  void exchange_files() const;
  void build_indexes() const;
  void count_rows() const;
  void lock_out_readers(int patience_ms) const;
  void drop_old_files() const;

  Oid table_;
  Oid toast_ = InvalidOid;  // the table's, before the exchange
  Oid heap_ = InvalidOid;
};

}  // namespace etl::pg
