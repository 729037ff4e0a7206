// Files that could not be loaded: why, and what the attempt says of them.
#pragma once

#include "pg/error.h"
#include "plan/retry.h"

namespace etl {

// Why a file was not loaded.
struct FileProblem {
  int sqlstate;
  std::string message;  // in its first line, then all else that is known
  std::string place;    // where in the file: "line 3, column ..."; or empty
  bool ends_attempt;    // it is no fault of the file: somebody cancelled the load
};

FileProblem problem_of(const pg::Error& error);
FileProblem problem_of(const pg::Failure& failure);

struct FailedFile {
  std::string path;
  FileProblem problem;
};

inline constexpr size_t kMostFailedFiles = 100;  // of those that an attempt loads; then it gives up

// The error of an attempt some of whose files have failed, and that has not tried so many others. Of their SQLSTATEs it
// has one that is worth another attempt, if there is one; `attempt` counts from 1 in the present round.
pg::Failure failure_of(const std::vector<FailedFile>& files, size_t untried, const plan::RetryPolicy& policy,
                       int attempt);

}  // namespace etl
