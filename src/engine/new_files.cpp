#include "engine/new_files.h"

#include "engine/executor.h"
#include "engine/loaded_table.h"
#include "engine/reject_store.h"
#include "engine/source_rows.h"
#include "pg/guard.h"

namespace etl {

namespace {

constexpr const char* kAskedFor = "loaded again, as was asked for";

// Forgotten with a failure, but still meant.
void raise_cancel() {
  pg::guard(
      [] { ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("canceling statement due to user request"))); });
}

void require_short_path(const std::string& path) {
  if (path.size() > file_store::kLongestPath)
    throw pg::Failure(ERRCODE_NAME_TOO_LONG,
                      pg::format("the path of a file is longer than %zu bytes", file_store::kLongestPath));
}

}  // namespace

void NewFiles::run() {
  find();
  follow_moves();
  const size_t most = failed_.size() + kMostFailedFiles;
  size_t tried = 0;
  for (; tried < new_files_.size() && failed_.size() < most; ++tried) load(new_files_[tried]);
  if (!failed_.empty())
    throw failure_of(failed_, new_files_.size() - tried, work_.policy, attempt_ - work_.attempts_before);
  sum_up();
}

// What does not depend on a file fails here, once.
void NewFiles::find() {
  pg::Block block;
  block.look([&] {
    const std::vector<Version> files = find_files();
    take_table(work_.table, work_.load.must_be_owned);
    file_store::use([&] {
      rows_before_ = file_store::sum_of_run(run_, job_).rows;
      for (const file_store::Unknown& unknown : file_store::find_to_load(job_, files))
        new_files_.push_back({files[unknown.place], unknown.may_have_moved, std::nullopt});
    });
    nothing_new_ = files.empty() ? files_.nothing_found() : "no new file";
  });
  block.commit();
}

void NewFiles::follow_moves() {
  const Followed followed = find_moves();
  if (followed.moves.empty()) return;
  std::optional<FileProblem> problem;
  try {
    apply(followed);
    renamed_ = followed.moves.size();
  } catch (const pg::Error& error) {
    forget_failure();
    if (!file_store::is_second_load(error)) problem = problem_of(error);
  } catch (const pg::Failure& failure) {
    forget_failure();
    problem = problem_of(failure);
  }
  if (!problem) return;
  for (const file_store::Move& move : followed.moves) remember(move.to, *problem);
}

// Takes them out of the files that are to be loaded.
NewFiles::Followed NewFiles::find_moves() {
  locations::MovedVersions moved(
      [&](const Version& file) { return file_store::use([&] { return file_store::find_same(job_, file); }); },
      [&](const Version& version) { return files_.is_gone(version); });
  Followed followed;
  std::vector<FailedFile> unreadable;
  std::vector<Version> versions;
  pg::Block block;
  block.look([&] {
    std::erase_if(new_files_, [&](NewFile& file) {
      if (!file.may_have_moved || file.version.path.size() > file_store::kLongestPath) return false;
      try {
        const locations::File opened = files_.open(file.version.path);
        file.version.facts = opened.facts();
        file.version.hash = files_.hash(opened);
        files_.require_same(opened);
      } catch (const pg::Failure& failure) {  // of a file: the transaction can go on
        versions.push_back(file.version);
        unreadable.push_back({file.version.path, problem_of(failure)});
        return true;
      }
      return has_moved(&file, &moved, &followed);
    });
  });
  block.commit();
  for (size_t i = 0; i < versions.size(); ++i) remember(versions[i], unreadable[i].problem);
  return followed;
}

bool NewFiles::has_moved(NewFile* file, locations::MovedVersions* moved, Followed* followed) {
  const std::optional<Known> at_path =
      file_store::use([&] { return file_store::find_by_path(job_, file->version.path); });
  if (at_path && at_path->version.hash == file->version.hash) return false;
  const std::optional<Known> earlier = moved->take(file->version);
  if (earlier && earlier->reload) file->asked_for = earlier;
  if (!earlier || earlier->reload) return false;
  followed->moves.push_back({*earlier, file->version});
  if (at_path) followed->at_new_paths.push_back(*at_path);
  return true;
}

void NewFiles::apply(const Followed& followed) {
  pg::Block block;
  block.look([&] {
    forget(locations::displaced(followed.moves, followed.at_new_paths));
    source_rows::rename(work_.load, followed.moves);
    file_store::use([&] { file_store::move(followed.moves); });
  });
  require_own_role();
  block.commit();
}

void NewFiles::load(const NewFile& file) {
  try {
    require_short_path(file.version.path);
    count_rows_from(rows_before_);
    pg::Block block;
    int64_t rows = 0;
    block.look([&] { rows = load_if_new(file); });
    require_own_role();
    block.commit();
    rows_before_ += rows;
    return;
  } catch (const pg::Error& error) {
    forget_failure();
    if (!file_store::is_second_load(error)) remember(file.version, problem_of(error));
  } catch (const pg::Failure& failure) {
    forget_failure();
    remember(file.version, problem_of(failure));
  }
}

// Returns the rows that it brings.
int64_t NewFiles::load_if_new(const NewFile& listed) {
  const locations::File file = files_.open(listed.version.path);
  Version now{file.path(), file.facts(), file.facts() == listed.version.facts ? listed.version.hash : ""};
  const std::optional<Known> earlier = file_store::use([&] { return file_store::find_by_path(job_, now.path); });
  if (earlier && !earlier->reload && earlier->version.facts == now.facts) return 0;  // another attempt was faster
  if (now.hash.empty()) now.hash = files_.hash(file);
  if (earlier && earlier->reload) return load_version(file, now, {*earlier}, kAskedFor);
  if (earlier && earlier->version.hash == now.hash) {
    files_.require_same(file);
    file_store::use([&] { file_store::touch(*earlier, now); });
    ++touched_;
    return 0;
  }
  std::vector<Known> replaced;
  if (earlier) replaced.push_back(*earlier);
  if (listed.asked_for) {
    replaced.push_back(*listed.asked_for);
    return load_version(file, now, replaced, kAskedFor);
  }
  if (earlier) return load_version(file, now, replaced, "replaced: its content is new");
  const std::optional<Known> original = file_store::use([&] { return file_store::find_original(job_, now); });
  return load_version(file, now, {},
                      original ? pg::format("a copy of \"%s\"", original->version.path.c_str()) : std::string());
}

int64_t NewFiles::load_version(const locations::File& file, const Version& now, const std::vector<Known>& earlier,
                               const std::string& why) {
  forget(earlier);
  FileLoad load(work_.load, &reader_);
  file_store::Load result;
  result.version = now;
  result.stamp = load.stamp();
  const Loaded loaded = load.add(files_.input(file));
  result.rejected = loaded.rejected;
  result.rows = load.finish([](int64_t) {}).rows;
  files_.require_same(file);
  add_note(&result.message, why);
  const bool leaves_rows = std::any_of(earlier.begin(), earlier.end(),
                                       [&](const Known& known) { return !source_rows::are_known(work_.load, known); });
  if (leaves_rows && work_.load.mode == LoadMode::kAppend)
    add_note(&result.message, "the rows that it brought before are still there");
  add_note(&result.message, loaded.note);
  write_loaded(result);
  add_note(&note_, loaded.note);
  return result.rows;
}

// Versions that others take the place of.
void NewFiles::forget(const std::vector<Known>& versions) const {
  source_rows::remove(work_.load, versions);
  file_store::use([&] {
    for (const Known& version : versions) file_store::mark_replaced(version);
  });
}

// After forget_failure(): goes on with the next file, unless the attempt is to end.
void NewFiles::remember(const Version& file, const FileProblem& problem) {
  if (!is_of_file(problem)) raise_cancel();
  write_failed(file, problem);
  failed_.push_back({file.path, problem});
}

void NewFiles::sum_up() {
  file_store::Sum sum{};
  bool analyze = false;
  std::string rejects;
  {
    pg::Transaction transaction;
    sum = file_store::use([&] { return file_store::sum_of_run(run_, job_); });
    analyze = table_.is_worth_analyzing(sum.rows);
    rejects = reject_store::table_for(pg::parse_table_name(work_.table, "")).quoted();
    transaction.commit();
  }
  entry_->rows = sum.rows;
  add_note(&entry_->message, sum.files > 0 ? pg::count_of(sum.files, "file", "files") : nothing_new_);
  if (renamed_ > 0) add_note(&entry_->message, pg::format("%zu renamed", renamed_));
  if (touched_ > 0) add_note(&entry_->message, pg::format("%zu touched", touched_));
  add_note(&entry_->message, note_);
  if (sum.rejected > 0)
    add_note(&entry_->message, pg::count_of(sum.rejected, "row was", "rows were") + " rejected: " + rejects);
  if (analyze && !analyze_apart(work_.table)) add_note(&entry_->message, kNotAnalyzed);
  entry_->notices = notices_->take();
  pg::Transaction transaction;
  write_log();
  require_own_role();
  transaction.commit();
}

}  // namespace etl
