// Why an attempt did not succeed, in the words of its log row.
#pragma once

#include "engine/log_store.h"

namespace etl {

// Status, SQLSTATE and texts of an error that ended an attempt. After a stop, any error is
// described as that stop, with the error as its detail: a program that was killed, a handler of the job's own.
void describe(const pg::Error& error, StopReason stop, const run_store::Work& work, log_store::Entry* entry);
void describe(const pg::Failure& failure, log_store::Entry* entry);
void describe(StopReason stop, const run_store::Work& work, log_store::Entry* entry);

// True if statement_timeout ended a statement, not somebody who cancelled it.
bool is_statement_timeout(const ErrorData& data);

// When a job that failed so may be tried again, as its policy says; 0: never. Draws the jitter. After a stop of more
// than the attempt there is no other.
pg::Moment retry_time(const run_store::Work& work, const log_store::Entry& entry, StopReason stop);

// ERROR, TIMED_OUT or CANCELLED.
Outcome outcome_of(const log_store::Entry& entry);

}  // namespace etl
