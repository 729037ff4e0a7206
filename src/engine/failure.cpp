#include "engine/failure.h"

#include "engine/report.h"

extern "C" {
#include "common/pg_prng.h"
}

namespace etl {

namespace {

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

// A job that wants to commit, or that runs what no transaction block allows, can be allowed to.
void add_transaction_hint(int sqlstate, const run_store::Work& work, log_store::Entry* entry) {
  const bool about_transactions =
      sqlstate == ERRCODE_INVALID_TRANSACTION_TERMINATION || sqlstate == ERRCODE_ACTIVE_SQL_TRANSACTION;
  if (work.commits_each_statement || !about_transactions || !entry->hint.empty()) return;
  entry->hint =
      "A job runs in one transaction, together with its log row. To let each of its statements commit by itself, "
      "give the job transaction => 'each'; it then runs at least once, not exactly once.";
}

}  // namespace

bool is_statement_timeout(const ErrorData& data) {
  return data.sqlerrcode == ERRCODE_QUERY_CANCELED && data.message_id != nullptr &&
         strcmp(data.message_id, "canceling statement due to statement timeout") == 0;
}

void describe(StopReason stop, const run_store::Work& work, log_store::Entry* entry) {
  entry->sqlstate = unpack_sql_state(ERRCODE_QUERY_CANCELED);
  entry->status = "TIMED_OUT";
  switch (stop) {
    case StopReason::kJobTimeout:
      entry->message = "took longer than its timeout of " + report::duration(static_cast<double>(work.timeout_ms));
      break;
    case StopReason::kLayerTimeout:
      entry->message = pg::format("layer \"%s\" took longer than its timeout", work.layer.c_str());
      break;
    case StopReason::kRunTimeout:
      entry->message = "the run took longer than its timeout";
      break;
    default:
      entry->status = "CANCELLED";
      entry->message = "cancelled together with its run";
  }
}

void describe(const pg::Error& error, StopReason stop, const run_store::Work& work, log_store::Entry* entry) {
  const ErrorData& data = error.data();
  if (stop != StopReason::kNone) {
    describe(stop, work, entry);
    if (error.sqlstate() != ERRCODE_QUERY_CANCELED)
      entry->detail =
          pg::format("It ended with: %s [%s]", text_of(data.message).c_str(), unpack_sql_state(data.sqlerrcode));
    return;
  }
  entry->status = is_statement_timeout(data) ? "TIMED_OUT" : "ERROR";
  entry->sqlstate = unpack_sql_state(data.sqlerrcode);
  entry->message = text_of(data.message);
  entry->detail = text_of(data.detail);
  entry->hint = text_of(data.hint);
  entry->context = text_of(data.context);
  add_transaction_hint(error.sqlstate(), work, entry);
}

void describe(const pg::Failure& failure, log_store::Entry* entry) {
  entry->status = "ERROR";
  entry->sqlstate = unpack_sql_state(failure.sqlstate());
  entry->message = failure.what();
  entry->detail = failure.detail();
  entry->hint = failure.hint();
}

pg::Moment retry_time(const run_store::Work& work, const log_store::Entry& entry, StopReason stop) {
  if (stop != StopReason::kNone && stop != StopReason::kJobTimeout) return {};
  const double draw = pg_prng_double(&pg_global_prng_state);
  const auto delay = plan::delay_before_retry(work.policy, entry.sqlstate, entry.attempt - work.attempts_before, draw);
  if (!delay) return {};
  constexpr int64_t kLongest = INT64CONST(1000) * 86400 * 36500;  // far within the range of timestamps
  return pg::later(pg::now(), std::min<int64_t>(*delay, kLongest));
}

Outcome outcome_of(const log_store::Entry& entry) {
  if (strcmp(entry.status, "CANCELLED") == 0) return Outcome::kCancelled;
  return strcmp(entry.status, "TIMED_OUT") == 0 ? Outcome::kTimedOut : Outcome::kError;
}

}  // namespace etl
