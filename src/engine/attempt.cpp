#include "engine/attempt.h"

#include "engine/executor.h"
#include "engine/file_load.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/relations.h"
#include "pg/settings.h"
#include "pg/transaction.h"
#include "pg/wait.h"

extern "C" {
#include "utils/timeout.h"
}

namespace etl {

namespace {

constexpr double kAnalyzeShare = 0.1;  // of a table's rows; autovacuum's default for analyzing

run_store::Work read_work(const Assignment& assigned) {
  pg::Transaction transaction;
  std::optional<run_store::Work> work;
  {
    const pg::EngineRights rights;
    const pg::Spi spi;
    work = run_store::read_work(assigned.run, assigned.step_id);
  }
  transaction.commit();
  if (!work)
    throw pg::Failure(ERRCODE_NO_DATA_FOUND, pg::format("step %d of run %lld does not exist", assigned.step_id,
                                                        static_cast<long long>(assigned.run.id)));
  return *work;
}

// Counts what an attempt writes to the table that its job declares. Each call needs a transaction.
class DeclaredTable {
 public:
  explicit DeclaredTable(const std::string& name) : name_(name) {}

  void before() {
    table_ = find();
    if (OidIsValid(table_)) rows_before_ = pg::rows_written_counter(table_).value_or(0);
  }

  // Rows written since before(); none where no table is declared, where it is not there, or nobody counts.
  std::optional<int64_t> rows_since() const {
    const Oid now = find();
    const std::optional<int64_t> rows = OidIsValid(now) ? pg::rows_written_counter(now) : std::nullopt;
    if (!rows) return std::nullopt;
    return *rows - (now == table_ ? rows_before_ : 0);
  }

  // True if the planner's idea of the table is out of date after so many rows, and the current user may mend it.
  bool is_worth_analyzing(int64_t rows) const {
    if (!settings::analyze_after_load() || rows == 0) return false;
    const Oid table = find();
    return OidIsValid(table) && pg::table_owner(table) == GetUserId() &&
           static_cast<double>(rows) >= kAnalyzeShare * pg::planned_rows(table);
  }

 private:
  Oid find() const { return name_.empty() ? InvalidOid : pg::find_table(pg::parse_table_name(name_, "")); }

  std::string name_;
  Oid table_ = InvalidOid;
  int64_t rows_before_ = 0;
};

void write_log(const Assignment& assigned, const run_store::LogEntry& entry) {
  const pg::EngineRights rights;
  const pg::Spi spi;
  run_store::write_log(assigned.run, entry);
}

// Leaves no transaction, timer or pending cancel of the attempt behind.
void clean_up() {
  pg::abort_everything();
  disable_all_timeouts(false);
  QueryCancelPending = false;
}

constexpr const char* kNotAnalyzed = "the table could not be analyzed";

// All in one transaction: the effect, and the row that says that it happened.
void run_single(const Assignment& assigned, const run_store::Work& work, run_store::LogEntry* entry) {
  DeclaredTable table(work.table);
  bool analyze = false;
  pg::Block block;
  const Oid owner = work.discovered ? GetUserId() : InvalidOid;
  if (work.file.empty()) {
    block.look([&] { table.before(); });
    entry->rows = run_in_block(work.command, owner);
  } else {
    Loaded loaded;
    block.look([&] { loaded = load_file(work.table, work.file, work.discovered); });
    entry->rows = loaded.rows;
    entry->message = loaded.note;
  }
  block.look([&] {
    if (work.file.empty()) entry->rows = table.rows_since().value_or(*entry->rows);
    analyze = table.is_worth_analyzing(*entry->rows);
  });
  // A courtesy to the jobs that follow: if it fails, the work of this one stands.
  const bool analyzed = !analyze || pg::in_subtransaction([&] { run_in_block("ANALYZE " + work.table); });
  if (!analyzed) entry->message = kNotAnalyzed;
  block.statement([&] { write_log(assigned, *entry); });
  block.commit();
}

// Each statement by itself. The row comes after them: a crash in between makes the job run again.
void run_each_statement(const Assignment& assigned, const run_store::Work& work, run_store::LogEntry* entry) {
  DeclaredTable table(work.table);
  {
    pg::Transaction transaction;
    table.before();
    transaction.commit();
  }
  entry->rows = run_each(work.command, work.discovered ? GetUserId() : InvalidOid);
  bool analyze = false;
  {
    pg::Transaction transaction;
    entry->rows = table.rows_since().value_or(*entry->rows);
    analyze = table.is_worth_analyzing(*entry->rows);
    transaction.commit();
  }
  try {
    if (analyze) run_each("ANALYZE " + work.table);
  } catch (const pg::Error&) {
    clean_up();
    entry->message = kNotAnalyzed;
  }
  pg::Transaction transaction;
  write_log(assigned, *entry);
  transaction.commit();
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

void describe(const pg::Error& error, run_store::LogEntry* entry) {
  const ErrorData& data = error.data();
  entry->sqlstate = unpack_sql_state(data.sqlerrcode);
  entry->message = text_of(data.message);
  entry->detail = text_of(data.detail);
  entry->hint = text_of(data.hint);
  entry->context = text_of(data.context);
}

void describe(const pg::Failure& failure, run_store::LogEntry* entry) {
  entry->sqlstate = unpack_sql_state(failure.sqlstate());
  entry->message = failure.what();
  entry->detail = failure.detail();
  entry->hint = failure.hint();
}

// A step that has succeeded already, in an attempt that nobody knew of.
bool is_second_success(const pg::Error& error) {
  const ErrorData& data = error.data();
  const auto is = [](const char* text, const char* wanted) { return text != nullptr && strcmp(text, wanted) == 0; };
  return error.sqlstate() == ERRCODE_UNIQUE_VIOLATION && is(data.schema_name, "setup") &&
         is(data.table_name, "load_log") && is(data.constraint_name, "load_log_one_success");
}

// A job that wants to commit, or that runs what no transaction block allows, can be allowed to.
void add_transaction_hint(int sqlstate, run_store::LogEntry* entry) {
  const bool about_transactions =
      sqlstate == ERRCODE_INVALID_TRANSACTION_TERMINATION || sqlstate == ERRCODE_ACTIVE_SQL_TRANSACTION;
  if (!about_transactions || !entry->hint.empty()) return;
  entry->hint =
      "A job runs in one transaction, together with its log row. To let each of its statements commit by itself, "
      "give the job transaction => 'each'; it then runs at least once, not exactly once.";
}

}  // namespace

Outcome run_attempt(const Assignment& assigned, const std::function<bool()>& was_cancelled) {
  run_store::LogEntry entry;
  entry.step_id = assigned.step_id;
  entry.attempt = assigned.attempt;
  entry.status = "OK";
  entry.started_at = GetCurrentTimestamp();
  bool single = true;
  try {
    const run_store::Work work = read_work(assigned);
    settings::show_attempt({assigned.run.id, assigned.attempt, work.layer, work.job, {}});
    single = !work.commits_each_statement;
    if (single) {
      run_single(assigned, work, &entry);
    } else {
      run_each_statement(assigned, work, &entry);
    }
    return Outcome::kOk;
  } catch (const pg::Error& error) {
    clean_up();
    if (is_second_success(error)) return Outcome::kOk;
    describe(error, &entry);
    if (single) add_transaction_hint(error.sqlstate(), &entry);
    if (error.sqlstate() == ERRCODE_QUERY_CANCELED && was_cancelled()) {
      entry.status = "CANCELLED";
      entry.message = "cancelled together with its run";
    }
  } catch (const pg::Failure& failure) {
    clean_up();
    describe(failure, &entry);
  }
  pg::check_interrupts();  // a worker that is being ended does not blame its job
  if (pg::server_is_stopping()) throw pg::Failure(ERRCODE_ADMIN_SHUTDOWN, "the server is shutting down");
  const bool cancelled = strcmp(entry.status, "CANCELLED") == 0;
  if (!cancelled) entry.status = "ERROR";
  entry.rows.reset();
  const pg::CancelHeld held;
  pg::Transaction transaction;
  write_log(assigned, entry);
  transaction.commit();
  return cancelled ? Outcome::kCancelled : Outcome::kError;
}

}  // namespace etl
