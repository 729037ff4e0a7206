#include "engine/attempt.h"

#include "engine/effect.h"
#include "engine/executor.h"
#include "engine/failure.h"
#include "engine/file_job.h"
#include "engine/missing_tables.h"
#include "engine/notices.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/transaction.h"
#include "pg/wait.h"

namespace etl {

namespace {

run_store::Work read_work(const RunKey& run, StepId step) {
  pg::Transaction transaction;
  std::vector<run_store::Work> works;
  require_own_role();
  {
    const pg::EngineRights rights;
    const pg::Spi spi;
    works = run_store::read_work(run, {step});
  }
  transaction.commit();
  if (works.empty())
    throw pg::Failure(ERRCODE_NO_DATA_FOUND,
                      pg::format("step %d of run %lld does not exist", step, static_cast<long long>(run.id)));
  return works.front();
}

bool lacks_table(const run_store::Work& work) {
  pg::Transaction transaction;
  const bool is_missing = table_is_missing(work);
  transaction.commit();
  return is_missing;
}

void write_log(const RunKey& run, const log_store::Entry& entry) {
  const pg::EngineRights rights;
  const pg::Spi spi;
  log_store::write(run, {entry});
}

// All in one transaction: the effect, and the row that says that it happened.
void run_single(const RunKey& run, const run_store::Work& work, NoticeKeeper* notices, log_store::Entry* entry) {
  pg::Block block;
  run_effect(block, work, entry);
  entry->notices = notices->take();
  block.statement([&] { write_log(run, *entry); });
  require_own_role();  // it may have been dropped meanwhile; heard of at the latest when the log was opened
  block.commit();
}

// Each statement by itself. The row comes after them: a crash in between makes the job run again.
void run_each_statement(const RunKey& run, const run_store::Work& work, NoticeKeeper* notices,
                        log_store::Entry* entry) {
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
  if (analyze && !analyze_apart(work.table)) entry->message = kNotAnalyzed;
  entry->notices = notices->take();
  pg::Transaction transaction;
  write_log(run, *entry);
  transaction.commit();
}

// A step that has succeeded already, in an attempt that nobody knew of.
bool is_second_success(const pg::Error& error) {
  const ErrorData& data = error.data();
  const auto text = [](const char* part) { return part == nullptr ? std::string_view() : std::string_view(part); };
  return error.sqlstate() == ERRCODE_UNIQUE_VIOLATION && text(data.schema_name) == "setup" &&
         text(data.table_name).starts_with("load_log") && text(data.constraint_name).ends_with("_one_success");
}

void write_failure(const RunKey& run, const run_store::Work& work, StopReason stop, log_store::Entry* entry,
                   Task* task) {
  entry->rows.reset();
  entry->retry = retry_time(work, *entry, stop);
  const pg::CancelHeld held;
  pg::Transaction transaction;
  write_log(run, *entry);
  transaction.commit();
  task->outcome = outcome_of(*entry);
  task->retry_due = pg::due_ms(entry->retry);
}

}  // namespace

void run_attempt(const RunKey& run, Task* task, const AskStop& stop) {
  log_store::Entry entry;
  entry.step_id = task->step_id;
  entry.attempt = task->attempt;
  entry.status = "OK";
  entry.started = pg::now();
  run_store::Work work;
  NoticeKeeper notices;
  try {
    work = read_work(run, task->step_id);
    present(run, *task, work);
    if (!work.location.empty()) {
      if (lacks_table(work)) {
        entry.message = crawl_for_missing_table(run, work);
        work = read_work(run, task->step_id);
      }
      run_file_job(run, *task, work, stop, &notices, &entry);
    } else if (work.commits_each_statement) {
      run_each_statement(run, work, &notices, &entry);
    } else {
      run_single(run, work, &notices, &entry);
    }
    task->outcome = Outcome::kOk;
    return;
  } catch (const pg::Error& error) {
    forget_failure();
    if (is_second_success(error)) {
      task->outcome = Outcome::kOk;
      return;
    }
    describe(error, stop(), work, &entry);
  } catch (const pg::Failure& failure) {
    forget_failure();
    describe(failure, &entry);
  }
  entry.notices = notices.take();
  pg::check_interrupts();  // a worker that is being ended does not blame its job
  pg::leave_if_server_stops();
  write_failure(run, work, stop(), &entry, task);
}

}  // namespace etl
