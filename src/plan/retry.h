// Whether a step that failed is tried again, and after what delay.
//
// An attempt ends with a SQLSTATE; that and the policy of the job decide. No clock here: who asks adds the delay to the
// time at which the attempt ended, and brings the random draw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etl::plan {

using Milliseconds = std::int64_t;

enum class ErrorClass : std::uint8_t {
  kTransient,  // the same attempt may well succeed a little later
  kPermanent,  // it would fail in the same way
  kTimeout     // it was ended for taking too long: another one would take as long, unless something gave way
};

// What a SQLSTATE says about another attempt. Whatever is unknown or no SQLSTATE at all is permanent: to repeat what
// nobody understands only hides it.
ErrorClass classify(std::string_view sqlstate);

// A pattern is a SQLSTATE ('40001'), its class ('40'), or one of the words 'transient', 'permanent', 'timeout', 'all'.
// The most specific pattern that matches decides: SQLSTATE, class, word for a kind of error, 'all'. Where both lists
// have it, never_retry_on does. What matches nothing is retried if it is transient.
struct RetryPolicy {
  int max_attempts = 3;  // the first one included; 1 or less: never again
  Milliseconds first_delay = 1000;
  double backoff_rate = 2.0;  // each delay is that many times the one before; below 1 they become shorter
  Milliseconds max_delay = 300'000;
  bool jitter = true;
  std::vector<std::string> retry_on;
  std::vector<std::string> never_retry_on;
};

// Letters of SQLSTATEs and classes are upper case, those of words lower case. A text that is none matches nothing.
bool is_valid_pattern(std::string_view text);

// The delay before retry number `retry`, 1 for the first: first_delay * backoff_rate ^ (retry - 1), at most max_delay.
// With full jitter that is multiplied with `draw`, a random number of [0, 1): steps that failed together do not come
// back together. Saturates for whatever values: a negative or undefined one counts as 0, a `retry` below 1 as 1.
Milliseconds backoff_delay(const RetryPolicy& policy, int retry, double draw);

// After `attempts_used` attempts, the last of which ended with `sqlstate`: the delay before the next one, or none if
// there is to be no other.
std::optional<Milliseconds> delay_before_retry(const RetryPolicy& policy, std::string_view sqlstate, int attempts_used,
                                               double draw);

}  // namespace etl::plan
