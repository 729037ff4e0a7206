#include "plan/fence.h"

#include "plan/retry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace etl::plan {
namespace {

constexpr std::size_t kStateLength = 5;
constexpr std::size_t kClassLength = 2;

// Classes of which every SQLSTATE is transient, but for those named in classify().
constexpr std::array<std::string_view, 3> kTransientClasses = {
    "08",  // connection exceptions: of dblink and foreign servers, too
    "40",  // transaction rollback: serialization failure, deadlock
    "53",  // insufficient resources: disk full, out of memory, too many connections
};

constexpr std::array<std::string_view, 11> kTransientStates = {
    "25P03",  // idle_in_transaction_session_timeout: see below
    "55006",  // object_in_use
    "55P03",  // lock_not_available
    "57P01",  // admin_shutdown
    "57P02",  // crash_shutdown
    "57P03",  // cannot_connect_now
    "57P05",  // idle_session_timeout
    "58000",  // system_error
    "58030",  // io_error
    "72000",  // snapshot_too_old
    "HV00N",  // fdw_unable_to_establish_connection
};

// Limits on the time that work takes. The two idle timeouts are none: they end a session that does nothing, which a
// step never is while it runs. They come from the other end of a connection that a step had open, and are to it what
// any lost connection is.
constexpr std::array<std::string_view, 2> kTimeoutStates = {
    "57014",  // query_canceled: statement_timeout, or somebody who found that it takes too long
    "25P04",  // transaction_timeout
};

bool contains(auto list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

bool is_code(std::string_view text, std::size_t length) {
  return text.size() == length &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

std::string_view word_for(ErrorClass kind) {
  switch (kind) {
    case ErrorClass::kTransient:
      return "transient";
    case ErrorClass::kPermanent:
      return "permanent";
    case ErrorClass::kTimeout:
      return "timeout";
  }
  return {};
}

bool should_retry(const RetryPolicy& policy, std::string_view sqlstate) {
  const ErrorClass kind = classify(sqlstate);
  std::vector<std::string_view> patterns;  // that match, the most specific first
  if (is_code(sqlstate, kStateLength)) patterns = {sqlstate, sqlstate.substr(0, kClassLength)};
  patterns.insert(patterns.end(), {word_for(kind), "all"});
  for (const std::string_view pattern : patterns) {
    if (contains(std::span(policy.never_retry_on), pattern)) return false;
    if (contains(std::span(policy.retry_on), pattern)) return true;
  }
  return kind == ErrorClass::kTransient;
}

// `factor` of `limit`, between 0 and `limit`. The comparison comes before the conversion, which is undefined for what
// does not fit, and is written so that an undefined factor is 0.
Milliseconds scaled(Milliseconds limit, double factor) {
  if (!(factor > 0)) return 0;
  const double product = static_cast<double>(limit) * factor;
  return product < static_cast<double>(limit) ? static_cast<Milliseconds>(product) : limit;
}

}  // namespace

ErrorClass classify(std::string_view sqlstate) {
  if (!is_code(sqlstate, kStateLength)) return ErrorClass::kPermanent;
  if (contains(kTimeoutStates, sqlstate)) return ErrorClass::kTimeout;
  // A deferred constraint fails in the same way again, whatever its class says.
  if (sqlstate == "40002") return ErrorClass::kPermanent;
  if (contains(kTransientClasses, sqlstate.substr(0, kClassLength))) return ErrorClass::kTransient;
  return contains(kTransientStates, sqlstate) ? ErrorClass::kTransient : ErrorClass::kPermanent;
}

bool is_valid_pattern(std::string_view text) {
  if (is_code(text, kStateLength) || is_code(text, kClassLength)) return true;
  return text == "transient" || text == "permanent" || text == "timeout" || text == "all";
}

Milliseconds backoff_delay(const RetryPolicy& policy, int retry, double draw) {
  const double first = static_cast<double>(std::max<Milliseconds>(policy.first_delay, 0));
  const Milliseconds longest = std::max<Milliseconds>(policy.max_delay, 0);
  const double rate = policy.backoff_rate > 0 ? policy.backoff_rate : 0;
  // 0 * infinity would be undefined.
  const double wanted = first > 0 ? first * std::pow(rate, std::max(retry, 1) - 1) : 0;
  const Milliseconds delay = wanted < static_cast<double>(longest) ? static_cast<Milliseconds>(wanted) : longest;
  return policy.jitter ? scaled(delay, draw) : delay;
}

std::optional<Milliseconds> delay_before_retry(const RetryPolicy& policy, std::string_view sqlstate, int attempts_used,
                                               double draw) {
  if (attempts_used >= policy.max_attempts || !should_retry(policy, sqlstate)) return std::nullopt;
  return backoff_delay(policy, attempts_used, draw);
}

}  // namespace etl::plan
