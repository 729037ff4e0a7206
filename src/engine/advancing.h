// Advancing branches of executions, in the worker of their owner.
#pragma once

#include "engine/attempt.h"

namespace etl {

// A task whose attempt is this number is no job's: its step is a branch, to be taken as far as it goes.
inline constexpr int kAdvance = 0;

// Advances some branches of an execution: the effect of a task, what the history and the log say of it, and where the
// branch is then, are committed together; again and again, until each branch waits, has ended, or is stopped. What is
// short shares a commit. What it comes to is in the tables; the outcome of a task is kNotStarted where it is to be
// handed out again, else kOk. Returns what else is due. Called and returns
// outside a transaction. pg::Error where not even a failure could be written.
MadeDue advance_branches(const RunKey& run, std::vector<Task>* tasks, const AskStop& stop,
                         const std::function<void(size_t)>& begins);

}  // namespace etl
