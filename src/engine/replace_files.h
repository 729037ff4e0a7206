// An attempt that replaces the content of its table by all files of its job, in one transaction with the log row.
#pragma once

#include "engine/file_attempt.h"

namespace etl {

class ReplaceFiles : FileAttempt {
 public:
  using FileAttempt::FileAttempt;

  // As run_file_job(). A load that fails because of one of several files writes down which.
  void run();

 private:
  void replace();
  bool is_emptied() const;
  bool is_unchanged(const std::vector<Version>& files);
  void replace_by(const std::vector<Version>& files);
  void blame(const FileProblem& problem);

  std::optional<Version> culprit_;  // that is being loaded
};

}  // namespace etl
