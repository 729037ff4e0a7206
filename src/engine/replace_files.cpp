#include "engine/replace_files.h"

#include "engine/executor.h"
#include "pg/relations.h"

namespace etl {

void ReplaceFiles::run() try { replace(); } catch (const pg::Error& error) {
  blame(problem_of(error));
  throw;
} catch (const pg::Failure& failure) {
  blame(problem_of(failure));
  throw;
}

void ReplaceFiles::replace() {
  pg::Block block;
  std::vector<Version> files;
  bool unchanged = false;
  block.look([&] {
    files = find_files();
    unchanged = work_.skips_unchanged && is_unchanged(files);
  });
  entry_->rows = 0;
  if (files.empty()) {
    add_note(&entry_->message, files_.nothing_found());
  } else if (unchanged) {
    add_note(&entry_->message, "unchanged: " + pg::count_of(std::ssize(files), "file", "files") + " as loaded before");
  } else {
    block.look([&] { replace_by(files); });
  }
  culprit_.reset();
  entry_->notices = notices_->take();
  block.statement([&] { write_log(); });
  require_own_role();
  block.commit();
}

// Somebody has emptied the table since it was loaded, or dropped it and made it again.
bool ReplaceFiles::is_emptied() const {
  const Oid table = pg::hold_table(pg::parse_table_name(work_.load.table, ""));
  if (!OidIsValid(table) || pg::holds_rows(table)) return false;
  return file_store::use([&] { return file_store::rows_loaded(job_); }) > 0;
}

// The files are those that were loaded last, by path, size and time, or else by their content.
bool ReplaceFiles::is_unchanged(const std::vector<Version>& files) {
  if (is_emptied()) return false;
  const std::vector<Known> known = file_store::use([&] { return file_store::find_all(job_); });
  if (known.size() != files.size()) return false;
  std::vector<size_t> touched;
  for (size_t i = 0; i < files.size(); ++i) {
    if (known[i].reload || known[i].version.path != files[i].path) return false;
    if (known[i].version.facts == files[i].facts) continue;
    if (known[i].version.facts.size != files[i].facts.size) return false;
    touched.push_back(i);
  }
  for (const size_t i : touched)
    if (files_.hash(files_.open(files[i].path)) != known[i].version.hash) return false;
  file_store::use([&] {
    for (const size_t i : touched) file_store::touch(known[i], files[i]);
  });
  return true;
}

void ReplaceFiles::replace_by(const std::vector<Version>& files) {
  FileLoad load(work_.load, &reader_);
  std::vector<file_store::Load> loads;
  int64_t rows = 0;
  for (const Version& listed : files) {
    culprit_ = listed;
    const locations::File file = files_.open(listed.path);
    culprit_->facts = file.facts();
    if (work_.skips_unchanged) culprit_->hash = files_.hash(file);
    count_rows_from(rows);
    const Loaded loaded = load.add(files_.input(file));
    files_.require_same(file);
    rows += loaded.rows;
    loads.push_back({*culprit_, loaded.rows, loaded.rejected, loaded.note, 0, load.stamp()});
  }
  if (files.size() > 1) culprit_.reset();
  bool analyzed = true;
  const Loaded total = load.finish([&](int64_t sum) { analyzed = table_.analyze_in_block(sum); });
  file_store::use([&] { file_store::mark_all_replaced(job_); });
  for (const file_store::Load& each : loads) write_loaded(each);
  entry_->rows = total.rows;
  if (files_.are_many()) add_note(&entry_->message, pg::count_of(std::ssize(files), "file", "files"));
  add_note(&entry_->message, total.note);
  if (!analyzed) add_note(&entry_->message, kNotAnalyzed);
}

void ReplaceFiles::blame(const FileProblem& problem) {
  forget_failure();
  if (culprit_ && is_of_file(problem)) write_failed(*culprit_, problem);
}

}  // namespace etl
