#include "engine/history.h"

#include "engine/background.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "pg/spi.h"
#include "pg/transaction.h"

namespace etl::history {

namespace {

constexpr int64_t kWeek = INT64CONST(7) * USECS_PER_DAY;
constexpr const char* kShortWait = "200ms";  // others queue up behind the lock that is waited for

void in_transaction(pg::Statement* statement, TimestampTz moment) {
  try {
    pg::Transaction transaction;
    settings::limit_lock_waits(kShortWait);
    {
      const pg::Spi spi;
      statement->run({pg::timestamp_value(moment)});
    }
    transaction.commit();
  } catch (const pg::Error& error) {
    pg::abort_everything();
    if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE)
      log_line(WARNING, std::string("etl_orchestrator conductor: history: ") + error.what());
  }
}

}  // namespace

void maintain() {
  static pg::Statement make{"SELECT setup.make_partitions($1)", {TIMESTAMPTZOID}};
  static pg::Statement drop{"SELECT setup.drop_history($1)", {TIMESTAMPTZOID}};
  const TimestampTz now = GetCurrentTimestamp();
  in_transaction(&make, now);
  in_transaction(&make, now + kWeek);
  if (settings::log_retention_minutes() > 0)
    in_transaction(&drop, now - settings::log_retention_minutes() * USECS_PER_MINUTE);
}

}  // namespace etl::history
