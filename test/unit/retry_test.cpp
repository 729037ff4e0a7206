#include "plan/retry.h"

#include <gtest/gtest.h>

#include <climits>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace etl::plan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr Milliseconds kForever = std::numeric_limits<Milliseconds>::max();

RetryPolicy without_jitter() {
  return {.jitter = false, .retry_on = {}, .never_retry_on = {}};
}

TEST(Retry, TakesRollbacksForTransientExceptAViolatedConstraint) {
  EXPECT_EQ(classify("40000"), ErrorClass::kTransient);
  EXPECT_EQ(classify("40001"), ErrorClass::kTransient);
  EXPECT_EQ(classify("40P01"), ErrorClass::kTransient);
  EXPECT_EQ(classify("40003"), ErrorClass::kTransient);
  EXPECT_EQ(classify("40002"), ErrorClass::kPermanent);
}

TEST(Retry, TellsLimitsOnWorkFromLimitsOnIdleness) {
  EXPECT_EQ(classify("57014"), ErrorClass::kTimeout);
  EXPECT_EQ(classify("25P04"), ErrorClass::kTimeout);
  EXPECT_EQ(classify("25P03"), ErrorClass::kTransient);
  EXPECT_EQ(classify("57P05"), ErrorClass::kTransient);
}

TEST(Retry, TakesTheUnknownAndTheMalformedForPermanent) {
  for (const char* text : {"", "4", "40", "4000", "400011", "40p01", "40 01", "?????", "ZZZZZ", "XX000", "08\n01"}) {
    EXPECT_EQ(classify(text), ErrorClass::kPermanent) << '"' << text << '"';
  }
  EXPECT_EQ(classify(std::string_view("40\0\0\0", 5)), ErrorClass::kPermanent);
}

TEST(RetryPattern, IsASqlstateAClassOrAWord) {
  for (const char* text : {"40001", "HV00N", "40", "HV", "00", "transient", "permanent", "timeout", "all"}) {
    EXPECT_TRUE(is_valid_pattern(text)) << text;
  }
  for (const char* text : {"", "4", "400", "4000", "400011", "40p01", "hv", "ALL", "All", "transients", " 40", "40 ",
                           "*", "40%", "deadlock", "äB", "\t40"}) {
    EXPECT_FALSE(is_valid_pattern(text)) << '"' << text << '"';
  }
}

TEST(RetryPattern, ThatIsInvalidMatchesNothing) {
  RetryPolicy policy = without_jitter();
  policy.never_retry_on = {"", "4", "400", "40p01", "Transient", "ALL"};
  EXPECT_TRUE(delay_before_retry(policy, "40001", 1, 0));
  policy.retry_on = {"23", "", "?????"};
  EXPECT_FALSE(delay_before_retry(policy, "", 1, 0));
  EXPECT_FALSE(delay_before_retry(policy, "?????x", 1, 0));
  EXPECT_FALSE(delay_before_retry(policy, "23", 1, 0)) << "a class is no SQLSTATE";
}

TEST(RetryPattern, AllMatchesTheMalformedToo) {
  RetryPolicy policy = without_jitter();
  policy.retry_on = {"all"};
  EXPECT_TRUE(delay_before_retry(policy, "", 1, 0));
  policy.never_retry_on = {"permanent"};
  EXPECT_FALSE(delay_before_retry(policy, "", 1, 0));
}

// Every combination of patterns that match 40001, against the rule: the first level at which one of the lists has a
// pattern decides, and never_retry_on before retry_on.
TEST(RetryPattern, TheMostSpecificDecidesAndNeverWinsATie) {
  const std::vector<std::string> levels{"40001", "40", "transient", "all"};
  for (unsigned retry = 0; retry < 16; ++retry) {
    for (unsigned never = 0; never < 16; ++never) {
      RetryPolicy policy = without_jitter();
      bool expected = true;
      for (int level = 3; level >= 0; --level) {
        const bool is_wanted = retry >> level & 1;
        const bool is_forbidden = never >> level & 1;
        if (is_wanted) policy.retry_on.push_back(levels[level]);
        if (is_forbidden) policy.never_retry_on.push_back(levels[level]);
        if (is_wanted || is_forbidden) expected = !is_forbidden;
      }
      EXPECT_EQ(delay_before_retry(policy, "40001", 1, 0).has_value(), expected) << retry << " against " << never;
    }
  }
}

TEST(RetryDelay, GrowsByTheRateUpToItsMaximum) {
  RetryPolicy policy = without_jitter();
  policy.max_delay = 5000;
  EXPECT_EQ(backoff_delay(policy, 1, 0), 1000);
  EXPECT_EQ(backoff_delay(policy, 2, 0), 2000);
  EXPECT_EQ(backoff_delay(policy, 3, 0), 4000);
  EXPECT_EQ(backoff_delay(policy, 4, 0), 5000);
  EXPECT_EQ(backoff_delay(policy, INT_MAX, 0), 5000);
}

TEST(RetryDelay, StaysOrShrinksWithARateOfOneOrLess) {
  RetryPolicy policy = without_jitter();
  policy.backoff_rate = 1;
  EXPECT_EQ(backoff_delay(policy, INT_MAX, 0), 1000);
  policy.backoff_rate = 0.5;
  EXPECT_EQ(backoff_delay(policy, 3, 0), 250);
  EXPECT_EQ(backoff_delay(policy, INT_MAX, 0), 0);
  policy.backoff_rate = 0;
  EXPECT_EQ(backoff_delay(policy, 1, 0), 1000);
  EXPECT_EQ(backoff_delay(policy, 2, 0), 0);
}

TEST(RetryDelay, IsMultipliedWithTheDrawByFullJitter) {
  RetryPolicy policy;
  EXPECT_EQ(backoff_delay(policy, 2, 0.0), 0);
  EXPECT_EQ(backoff_delay(policy, 2, 0.25), 500);
  EXPECT_EQ(backoff_delay(policy, 2, std::nextafter(1.0, 0.0)), 1999);
  policy.jitter = false;
  EXPECT_EQ(backoff_delay(policy, 2, 0.25), 2000);
  EXPECT_EQ(backoff_delay(policy, 2, kUndefined), 2000);
}

TEST(RetryDelay, SaturatesAtTheLargestNumber) {
  RetryPolicy policy = without_jitter();
  policy.max_delay = kForever;
  EXPECT_EQ(backoff_delay(policy, INT_MAX, 0), kForever);
  policy.first_delay = kForever;
  EXPECT_EQ(backoff_delay(policy, 1, 0), kForever);
  policy.backoff_rate = kInfinity;
  EXPECT_EQ(backoff_delay(policy, 2, 0), kForever);
  policy.first_delay = 0;
  EXPECT_EQ(backoff_delay(policy, 2, 0), 0);
  policy.first_delay = 7;
  EXPECT_EQ(backoff_delay(policy, 1, 0), 7);
}

TEST(RetryDelayProperty, IsFromZeroToItsMaximumWhateverTheValues) {
  std::mt19937_64 random(3);
  const std::vector<Milliseconds> times{
      std::numeric_limits<Milliseconds>::min(), -1, 0, 1, 999, kForever - 1, kForever};
  const std::vector<double> rates{-kInfinity, -1, 0, 1e-300, 0.5, 1, 2, 1e300, kInfinity, kUndefined};
  const std::vector<int> retries{INT_MIN, -1, 0, 1, 2, 63, 64, 1100, INT_MAX};
  const std::vector<double> draws{-kInfinity, -1, 0, 0.5, std::nextafter(1.0, 0.0), 1, 2, kInfinity, kUndefined};
  const auto one_of = [&](const auto& list) { return list[random() % list.size()]; };
  for (int round = 0; round < 200'000; ++round) {
    RetryPolicy policy = without_jitter();
    policy.first_delay = one_of(times);
    policy.max_delay = one_of(times);
    policy.backoff_rate = one_of(rates);
    const int retry = one_of(retries);
    const double draw = one_of(draws);
    const Milliseconds plain = backoff_delay(policy, retry, draw);
    policy.jitter = true;
    const Milliseconds jittered = backoff_delay(policy, retry, draw);
    ASSERT_GE(jittered, 0);
    ASSERT_LE(jittered, plain);
    ASSERT_LE(plain, std::max<Milliseconds>(policy.max_delay, 0));
  }
}

TEST(RetryAttempts, EndWithTheirMaximum) {
  RetryPolicy policy = without_jitter();
  EXPECT_EQ(delay_before_retry(policy, "40001", 2, 0), 2000);
  EXPECT_EQ(delay_before_retry(policy, "40001", 3, 0), std::nullopt);
  EXPECT_EQ(delay_before_retry(policy, "40001", INT_MAX, 0), std::nullopt);
  for (const int none : {1, 0, -5}) {
    policy.max_attempts = none;
    EXPECT_EQ(delay_before_retry(policy, "40001", 1, 0), std::nullopt);
  }
}

// How retries behave, by SQLSTATE.

struct Variant {
  RetryPolicy policy;
  double draw = 0;
};

Variant variant(std::string_view name) {
  RetryPolicy policy = without_jitter();
  if (name == "default") return {policy};
  if (name == "jitter") {
    policy.jitter = true;
    return {policy, 0.5};
  }
  if (name == "once") {
    policy.max_attempts = 1;
  } else if (name == "capped") {
    policy.max_attempts = 5;
    policy.max_delay = 2500;
  } else if (name == "flat") {
    policy.backoff_rate = 1;
  } else if (name == "at once") {
    policy.first_delay = 0;
  } else if (name == "all") {
    policy.retry_on = {"all"};
  } else if (name == "all but data") {
    policy.retry_on = {"all"};
    policy.never_retry_on = {"22", "23"};
  } else if (name == "timeouts too") {
    policy.retry_on = {"timeout"};
  } else if (name == "only deadlocks") {
    policy.retry_on = {"40P01"};
    policy.never_retry_on = {"all"};
  } else if (name == "never") {
    policy.never_retry_on = {"all"};
  } else {
    ADD_FAILURE() << "no policy is called " << name;
  }
  return {policy};
}

// Runs a step whose every attempt fails after 100 ms, by a clock that only moves when somebody waits. The times at
// which its attempts start.
std::vector<Milliseconds> attempts_of(std::string_view sqlstate, const Variant& chosen) {
  Milliseconds now = 0;
  std::vector<Milliseconds> starts;
  for (;;) {
    starts.push_back(now);
    now += 100;
    const auto delay = delay_before_retry(chosen.policy, sqlstate, static_cast<int>(starts.size()), chosen.draw);
    if (!delay) return starts;
    now += *delay;
  }
}

struct Row {
  const char* sqlstate;
  const char* policy;
  std::vector<Milliseconds> starts;
};

const std::vector<Milliseconds> kOnce{0};
const std::vector<Milliseconds> kThreeTimes{0, 1100, 3200};

const std::vector<Row> kTable{
    // Transient.
    {"08000", "default", kThreeTimes},  // connection_exception
    {"08001", "default", kThreeTimes},  // sqlclient_unable_to_establish_sqlconnection
    {"08003", "default", kThreeTimes},  // connection_does_not_exist
    {"08006", "default", kThreeTimes},  // connection_failure
    {"08P01", "default", kThreeTimes},  // protocol_violation
    {"25P03", "default", kThreeTimes},  // idle_in_transaction_session_timeout
    {"40000", "default", kThreeTimes},  // transaction_rollback
    {"40001", "default", kThreeTimes},  // serialization_failure
    {"40003", "default", kThreeTimes},  // statement_completion_unknown
    {"40P01", "default", kThreeTimes},  // deadlock_detected
    {"53000", "default", kThreeTimes},  // insufficient_resources
    {"53100", "default", kThreeTimes},  // disk_full
    {"53200", "default", kThreeTimes},  // out_of_memory
    {"53300", "default", kThreeTimes},  // too_many_connections
    {"53400", "default", kThreeTimes},  // configuration_limit_exceeded
    {"55006", "default", kThreeTimes},  // object_in_use
    {"55P03", "default", kThreeTimes},  // lock_not_available
    {"57P01", "default", kThreeTimes},  // admin_shutdown
    {"57P02", "default", kThreeTimes},  // crash_shutdown
    {"57P03", "default", kThreeTimes},  // cannot_connect_now
    {"57P05", "default", kThreeTimes},  // idle_session_timeout
    {"58000", "default", kThreeTimes},  // system_error
    {"58030", "default", kThreeTimes},  // io_error
    {"72000", "default", kThreeTimes},  // snapshot_too_old
    {"HV00N", "default", kThreeTimes},  // fdw_unable_to_establish_connection
    // Timeouts.
    {"57014", "default", kOnce},  // query_canceled
    {"25P04", "default", kOnce},  // transaction_timeout
    // Permanent.
    {"0A000", "default", kOnce},  // feature_not_supported
    {"21000", "default", kOnce},  // cardinality_violation
    {"22012", "default", kOnce},  // division_by_zero
    {"22P02", "default", kOnce},  // invalid_text_representation
    {"23502", "default", kOnce},  // not_null_violation
    {"23505", "default", kOnce},  // unique_violation
    {"25006", "default", kOnce},  // read_only_sql_transaction
    {"25P02", "default", kOnce},  // in_failed_sql_transaction
    {"28000", "default", kOnce},  // invalid_authorization_specification
    {"40002", "default", kOnce},  // transaction_integrity_constraint_violation
    {"42501", "default", kOnce},  // insufficient_privilege
    {"42601", "default", kOnce},  // syntax_error
    {"42P01", "default", kOnce},  // undefined_table
    {"54000", "default", kOnce},  // program_limit_exceeded
    {"55000", "default", kOnce},  // object_not_in_prerequisite_state
    {"57P04", "default", kOnce},  // database_dropped
    {"58P01", "default", kOnce},  // undefined_file
    {"HV000", "default", kOnce},  // fdw_error
    {"P0001", "default", kOnce},  // raise_exception
    {"XX000", "default", kOnce},  // internal_error
    {"XX001", "default", kOnce},  // data_corrupted
    {"ABCDE", "default", kOnce},
    {"", "default", kOnce},
    // Delays.
    {"40001", "jitter", {0, 600, 1700}},
    {"40001", "once", kOnce},
    {"40001", "capped", {0, 1100, 3200, 5800, 8400}},
    {"40001", "flat", {0, 1100, 2200}},
    {"40001", "at once", {0, 100, 200}},
    // Patterns.
    {"42P01", "all", kThreeTimes},
    {"57014", "all", kThreeTimes},
    {"42P01", "all but data", kThreeTimes},
    {"23505", "all but data", kOnce},
    {"22012", "all but data", kOnce},
    {"57014", "timeouts too", kThreeTimes},
    {"25P04", "timeouts too", kThreeTimes},
    {"40001", "timeouts too", kThreeTimes},
    {"23505", "timeouts too", kOnce},
    {"40P01", "only deadlocks", kThreeTimes},
    {"40001", "only deadlocks", kOnce},
    {"40001", "never", kOnce},
    {"08006", "never", kOnce},
};

TEST(RetryTable, GivesTheTimesAtWhichTheAttemptsStart) {
  for (const Row& row : kTable) {
    EXPECT_EQ(attempts_of(row.sqlstate, variant(row.policy)), row.starts) << row.sqlstate << ", " << row.policy;
  }
}

TEST(RetryTable, HasNoRowTwice) {
  std::set<std::pair<std::string, std::string>> rows;
  for (const Row& row : kTable) EXPECT_TRUE(rows.emplace(row.sqlstate, row.policy).second) << row.sqlstate;
}

}  // namespace
}  // namespace etl::plan
