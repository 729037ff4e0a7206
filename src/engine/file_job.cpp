#include "engine/file_job.h"

#include "engine/effect.h"
#include "engine/executor.h"
#include "engine/file_failures.h"
#include "engine/file_load.h"
#include "engine/file_store.h"
#include "engine/job_files.h"
#include "engine/loaded_table.h"
#include "engine/reject_store.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/wait.h"

namespace etl {

namespace {

using file_store::Known;
using file_store::Version;

constexpr const char* kAskedFor = "loaded again, as was asked for";

// With the engine's rights: calls of file_store.
template <typename F>
auto in_store(F&& body) {
  const pg::EngineRights rights;
  const pg::LatestSnapshot snapshot;
  const pg::Spi spi;
  return body();
}

class FileJob {
 public:
  FileJob(const RunKey& run, const Task& task, const run_store::Work& work, const AskStop& stop, NoticeKeeper* notices,
          log_store::Entry* entry)
      : run_(run),
        attempt_(task.attempt),
        work_(work),
        stop_(stop),
        notices_(notices),
        entry_(entry),
        job_{work.layer, work.job, work.location},
        table_(work.table),
        files_(work.location, work.file, work.load.reader_options) {}
  ~FileJob() { count_rows_from(0); }
  FileJob(const FileJob&) = delete;
  FileJob& operator=(const FileJob&) = delete;

  // All in one transaction.
  void replace() try {
    pg::Block block;
    std::vector<Version> files;
    block.look([&] { files = find_files(); });
    entry_->rows = 0;
    if (files.empty()) {
      add_note(&entry_->message, files_.nothing_found());
    } else if (is_unchanged(&block, files)) {
      add_note(&entry_->message, "unchanged: " + count_of(std::ssize(files), "file", "files") + " as loaded before");
    } else {
      block.look([&] { replace_by(files); });
    }
    culprit_.reset();
    entry_->notices = notices_->take();
    block.statement([&] { write_log(); });
    require_own_role();
    block.commit();
  } catch (const pg::Error& error) {
    blame(problem_of(error));
    throw;
  } catch (const pg::Failure& failure) {
    blame(problem_of(failure));
    throw;
  }

  // Each file by itself.
  void load_each() {
    for (const Version& file : find_new_files()) {
      load(file);
      if (failed_.size() >= kMostFailedFiles) break;
    }
    if (!failed_.empty()) throw failure_of(failed_, work_.policy, attempt_ - work_.attempts_before);
    sum_up();
  }

 private:
  // Needs a transaction.
  std::vector<Version> find_files() {
    in_store([&] { file_store::require_job(job_); });
    return files_.find();
  }

  // The files are those that were loaded last, by path, size and time, or else by their content.
  bool is_unchanged(pg::Block* block, const std::vector<Version>& files) {
    if (!work_.skips_unchanged) return false;
    bool unchanged = false;
    block->look([&] {
      const std::vector<Known> known = in_store([&] { return file_store::find_all(job_); });
      if (known.size() != files.size()) return;
      std::vector<size_t> touched;
      for (size_t i = 0; i < files.size(); ++i) {
        if (known[i].reload || known[i].version.path != files[i].path) return;
        if (known[i].version.facts == files[i].facts) continue;
        if (known[i].version.facts.size != files[i].facts.size) return;
        touched.push_back(i);
      }
      for (const size_t i : touched)
        if (content_hash(files_.open(files[i].path)) != known[i].version.hash) return;
      in_store([&] {
        for (const size_t i : touched) file_store::change(known[i], files[i], "touched: its content is the same");
      });
      unchanged = true;
    });
    return unchanged;
  }

  void replace_by(const std::vector<Version>& files) {
    FileLoad load(work_.load, &reader_);
    std::vector<file_store::Load> loads;
    int64_t rows = 0;
    for (const Version& listed : files) {
      culprit_ = listed;
      const locations::File file = files_.open(listed.path);
      culprit_->facts = file.facts();
      if (work_.skips_unchanged) culprit_->hash = content_hash(file);
      count_rows_from(rows);
      const Loaded loaded = load.add(files_.input(file));
      require_same(file);
      rows += loaded.rows;
      loads.push_back({*culprit_, loaded.rows, loaded.rejected, loaded.note});
    }
    if (files.size() > 1) culprit_.reset();
    bool analyzed = true;
    const Loaded total = load.finish([&](int64_t sum) { analyzed = table_.analyze_in_block(sum); });
    in_store([&] {
      file_store::mark_all_replaced(job_);
      for (const file_store::Load& each : loads) file_store::write_loaded(run_, attempt_, job_, each);
    });
    entry_->rows = total.rows;
    if (files_.are_many()) add_note(&entry_->message, count_of(std::ssize(files), "file", "files"));
    add_note(&entry_->message, total.note);
    if (!analyzed) add_note(&entry_->message, kNotAnalyzed);
  }

  // What does not depend on a file fails here, once.
  std::vector<Version> find_new_files() {
    pg::Block block;
    std::vector<Version> unknown;
    block.look([&] {
      const std::vector<Version> files = find_files();
      take_table(work_.table, work_.load.must_be_owned);
      unknown = in_store([&] {
        std::vector<Version> found;
        rows_before_ = file_store::sum_of_run(run_, job_).rows;
        for (const size_t i : file_store::find_unknown(job_, files)) found.push_back(files[i]);
        return found;
      });
      nothing_new_ = files.empty() ? files_.nothing_found() : "no new file";
    });
    block.commit();
    return unknown;
  }

  void load(const Version& file) {
    try {
      if (file.path.size() > file_store::kLongestPath)
        throw pg::Failure(ERRCODE_NAME_TOO_LONG,
                          pg::format("the path of a file is longer than %zu bytes", file_store::kLongestPath));
      culprit_ = file;
      count_rows_from(rows_before_);
      pg::Block block;
      int64_t rows = 0;
      block.look([&] { rows = deal_with(file.path); });
      require_own_role();
      block.commit();
      rows_before_ += rows;
      return;
    } catch (const pg::Error& error) {
      forget_failure();
      if (file_store::is_second_load(error)) return;
      remember(problem_of(error));
    } catch (const pg::Failure& failure) {
      forget_failure();
      remember(problem_of(failure));
    }
  }

  // A file that looks new: returns the rows that it brings.
  int64_t deal_with(const std::string& path) {
    const locations::File file = files_.open(path);
    Version now{file.path(), file.facts(), ""};
    std::optional<Known> earlier = in_store([&] { return file_store::find_by_path(job_, path); });
    if (earlier && !earlier->reload && earlier->version.facts == now.facts) return 0;  // another attempt was faster
    now.hash = content_hash(file);
    culprit_ = now;
    if (earlier && !earlier->reload && earlier->version.hash == now.hash) {
      require_same(file);
      in_store([&] { file_store::change(*earlier, now, "touched: its content is the same"); });
      ++touched_;
      return 0;
    }
    if (earlier && earlier->reload) return load_version(file, now, earlier, kAskedFor);
    std::string message = earlier ? "replaced: its content is new" : "";
    for (const Known& same : in_store([&] { return file_store::find_by_content(job_, now.hash); })) {
      if (files_.is_there(same.version.path)) {
        if (!earlier) message = pg::format("a copy of \"%s\"", same.version.path.c_str());
      } else if (!same.reload) {
        require_same(file);
        if (earlier) forget(*earlier);
        rename(same, now);
        return 0;
      } else if (!earlier) {
        earlier = same;
        message = kAskedFor;
      }
    }
    return load_version(file, now, earlier, message);
  }

  int64_t load_version(const locations::File& file, const Version& now, const std::optional<Known>& earlier,
                       const std::string& why) {
    if (earlier) forget(*earlier);
    FileLoad load(work_.load, &reader_);
    file_store::Load result;
    result.version = now;
    const Loaded loaded = load.add(files_.input(file));
    result.rejected = loaded.rejected;
    result.rows = load.finish([](int64_t) {}).rows;
    require_same(file);
    add_note(&result.message, why);
    if (earlier && !work_.load.provenance && work_.load.mode == LoadMode::kAppend)
      add_note(&result.message, "the rows that it brought before are still there");
    add_note(&result.message, loaded.note);
    in_store([&] { file_store::write_loaded(run_, attempt_, job_, result); });
    add_note(&note_, loaded.note);
    return result.rows;
  }

  // A version that another one takes the place of. The table is checked again: since the attempt began, somebody may
  // have put one there whose triggers are not for this role to run.
  void forget(const Known& earlier) {
    if (work_.load.provenance) {
      take_table(work_.table, work_.load.must_be_owned);
      run_in_block("DELETE FROM " + work_.table + " WHERE _source_file OPERATOR(pg_catalog.=) " +
                   pg::quote_text(earlier.version.path));
    }
    in_store([&] { file_store::mark_replaced(earlier); });
  }

  void rename(const Known& earlier, const Version& now) {
    if (work_.load.provenance) {
      take_table(work_.table, work_.load.must_be_owned);
      run_in_block("UPDATE " + work_.table + " SET _source_file = " + pg::quote_text(now.path) +
                   " WHERE _source_file OPERATOR(pg_catalog.=) " + pg::quote_text(earlier.version.path));
    }
    in_store(
        [&] { file_store::change(earlier, now, pg::format("renamed from \"%s\"", earlier.version.path.c_str())); });
    ++renamed_;
  }

  // After forget_failure(): goes on with the next file, unless the attempt is to end.
  void remember(const FileProblem& problem) {
    pg::check_interrupts();  // a worker that is being ended does not blame its file
    pg::leave_if_server_stops();
    if (stop_() != StopReason::kNone || problem.ends_attempt) raise_cancel();
    write_failure(problem);
    failed_.push_back({culprit_ ? culprit_->path : "", problem});
  }

  // In a load that fails as a whole.
  void blame(const FileProblem& problem) {
    forget_failure();
    if (!culprit_ || stop_() != StopReason::kNone || problem.ends_attempt) return;
    pg::leave_if_server_stops();
    write_failure(problem);
  }

  void write_failure(const FileProblem& problem) const {
    if (!culprit_) return;
    const pg::CancelHeld held;
    pg::Transaction transaction;
    in_store([&] {
      file_store::write_failed(run_, attempt_, job_, {*culprit_, 0, 0, problem.message, problem.sqlstate});
    });
    transaction.commit();
  }

  // Forgotten with a failure, but still meant.
  static void raise_cancel() {
    pg::guard(
        [] { ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("canceling statement due to user request"))); });
  }

  void sum_up() {
    file_store::Sum sum{};
    bool analyze = false;
    {
      pg::Transaction transaction;
      sum = in_store([&] { return file_store::sum_of_run(run_, job_); });
      analyze = table_.is_worth_analyzing(sum.rows);
      transaction.commit();
    }
    entry_->rows = sum.rows;
    add_note(&entry_->message, sum.files > 0 ? count_of(sum.files, "file", "files") : nothing_new_);
    if (renamed_ > 0) add_note(&entry_->message, pg::format("%d renamed", renamed_));
    if (touched_ > 0) add_note(&entry_->message, pg::format("%d touched", touched_));
    add_note(&entry_->message, note_);
    if (sum.rejected > 0)
      add_note(&entry_->message, count_of(sum.rejected, "row was", "rows were") + " rejected: " +
                                     reject_store::table_for(pg::parse_table_name(work_.table, "")).quoted());
    if (analyze && !analyze_apart(work_.table)) add_note(&entry_->message, kNotAnalyzed);
    entry_->notices = notices_->take();
    pg::Transaction transaction;
    write_log();
    require_own_role();
    transaction.commit();
  }

  void write_log() const {
    in_store([&] { log_store::write(run_, {*entry_}); });
  }

  const RunKey run_;
  const int attempt_;
  const run_store::Work& work_;
  const AskStop& stop_;
  NoticeKeeper* notices_;
  log_store::Entry* entry_;
  const file_store::Job job_;
  DeclaredTable table_;
  JobFiles files_;
  FileReader reader_;
  std::string nothing_new_;
  std::optional<Version> culprit_;  // that is being loaded
  std::vector<FailedFile> failed_;
  int64_t rows_before_ = 0;  // of the files that are done
  int renamed_ = 0;
  int touched_ = 0;
  std::string note_;
};

}  // namespace

void run_file_job(const RunKey& run, const Task& task, const run_store::Work& work, const AskStop& stop,
                  NoticeKeeper* notices, log_store::Entry* entry) {
  FileJob job(run, task, work, stop, notices, entry);
  if (work.load.mode == LoadMode::kReplace) {
    job.replace();
  } else {
    job.load_each();
  }
}

}  // namespace etl
