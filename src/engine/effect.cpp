#include "engine/effect.h"

#include "engine/executor.h"
#include "engine/file_load.h"
#include "engine/files_module.h"
#include "engine/locations.h"
#include "locations/file_type.h"
#include "pg/relations.h"
#include "pg/roles.h"
#include "pg/settings.h"

extern "C" {
#include "utils/timeout.h"
}

namespace etl {

namespace {

constexpr double kAnalyzeShare = 0.1;  // of a table's rows; autovacuum's default for analyzing

Loaded load_file(const run_store::Work& work, const std::function<void(int64_t rows)>& filled) try {
  pg::require_reading_server_files(
      GetUserId(), pg::format("role \"%s\" may not read files of the server", pg::role_name(GetUserId()).c_str()));
  FileReader reader;
  FileLoad load(work.load, &reader);
  const locations::File file = locations::File::open(work.file);
  // What has no known name is CSV.
  const auto type = locations::file_type_of(work.file).value_or(locations::FileType());
  load.add({file.descriptor(),
            work.file,
            module_format(type.format),
            type.compression == locations::Compression::kGzip,
            {}});
  if (file.facts_now() != file.facts()) fail_changed(work.file);
  return load.finish(filled);
} catch (const locations::FileError& error) {
  throw failure_of(work.file, error);
}

}  // namespace

Oid DeclaredTable::find() const {
  return name_.empty() ? InvalidOid : pg::find_table(pg::parse_table_name(name_, ""));
}

void DeclaredTable::before() {
  table_ = find();
  if (OidIsValid(table_)) rows_before_ = pg::rows_written_counter(table_).value_or(0);
}

std::optional<int64_t> DeclaredTable::rows_since() const {
  const Oid now = find();
  const std::optional<int64_t> rows = OidIsValid(now) ? pg::rows_written_counter(now) : std::nullopt;
  if (!rows) return std::nullopt;
  return *rows - (now == table_ ? rows_before_ : 0);
}

bool DeclaredTable::is_worth_analyzing(int64_t rows) const {
  if (!settings::analyze_after_load() || rows == 0) return false;
  const Oid table = find();
  return OidIsValid(table) && pg::table_owner(table) == GetUserId() &&
         static_cast<double>(rows) >= kAnalyzeShare * pg::planned_rows(table);
}

bool DeclaredTable::analyze_in_block(int64_t rows) const {
  return !is_worth_analyzing(rows) || pg::in_subtransaction([&] { run_in_block("ANALYZE " + name_); });
}

bool analyze_apart(const std::string& table) try {
  run_each("ANALYZE " + table);
  return true;
} catch (const pg::Error&) {
  forget_failure();
  return false;
}

void forget_failure() {
  pg::abort_everything();
  disable_all_timeouts(false);
  QueryCancelPending = false;
}

void run_effect(pg::Block& block, const run_store::Work& work, log_store::Entry* entry) {
  DeclaredTable table(work.table);
  bool analyzed = true;
  // A courtesy to the jobs that follow: if it fails, the work of this one stands.
  const auto analyze = [&](int64_t rows) { analyzed = table.analyze_in_block(rows); };
  const Oid owner = work.discovered ? GetUserId() : InvalidOid;
  if (work.file.empty()) {
    if (!work.table.empty()) block.look([&] { table.before(); });
    entry->rows = run_in_block(work.command, owner);
  } else {
    Loaded loaded;
    block.look([&] { loaded = load_file(work, analyze); });
    entry->rows = loaded.rows;
    entry->message = loaded.note;
  }
  if (work.file.empty() && !work.table.empty()) {
    block.look([&] { entry->rows = table.rows_since().value_or(*entry->rows); });
    block.look([&] { analyze(*entry->rows); });
  }
  if (!analyzed) add_note(&entry->message, kNotAnalyzed);
}

void require_own_role() {
  if (pg::role_exists(GetSessionUserId())) return;
  throw pg::Failure(ERRCODE_UNDEFINED_OBJECT,
                    pg::format("the owner of this job was dropped (role with OID %u)", GetSessionUserId()));
}

void present(const RunKey& run, const Task& task, const run_store::Work& work) {
  settings::show_attempt({run.id, run.at, task.attempt, work.layer, work.job, {}});
  if (work.statement_timeout_ms > 0) settings::limit_statements(work.statement_timeout_ms);
}

}  // namespace etl
