// What all attempts share that load files of a location: the job, its files, and what is said of those that fail.
#pragma once

#include "engine/attempt.h"
#include "engine/effect.h"
#include "engine/file_failures.h"
#include "engine/file_load.h"
#include "engine/file_store.h"
#include "engine/job_files.h"
#include "engine/notices.h"

namespace etl {

class FileAttempt {
 public:
  FileAttempt(const RunKey& run, const Task& task, const run_store::Work& work, const AskStop& stop,
              NoticeKeeper* notices, log_store::Entry* entry);
  ~FileAttempt();
  FileAttempt(const FileAttempt&) = delete;
  FileAttempt& operator=(const FileAttempt&) = delete;

 protected:
  using Known = file_store::Known;
  using Version = file_store::Version;

  // Needs a transaction.
  std::vector<Version> find_files();

  // Whether a problem is the fault of a file: not where somebody stops the attempt, the worker or the server, which may
  // end it here.
  bool is_of_file(const FileProblem& problem) const;

  void write_loaded(const file_store::Load& load) const;                     // in the transaction that is open
  void write_failed(const Version& file, const FileProblem& problem) const;  // in one of its own
  void write_log() const;                                                    // in the transaction that is open

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
};

}  // namespace etl
