// Moments after which what this worker runs is cancelled, as by Ctrl-C.
#pragma once

#include "pg/error.h"

namespace etl {

enum class DeadlineOf { kSharedCommit, kTask };

// Until it passes, or its life ends. One of each kind at a time.
class Deadline {
 public:
  Deadline(DeadlineOf kind, int64_t milliseconds);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool has_passed() const;

 private:
  const DeadlineOf kind_;
};

// Called once per worker.
void install_deadlines();

}  // namespace etl
