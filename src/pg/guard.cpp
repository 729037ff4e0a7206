#include "pg/guard.h"

namespace etl::pg::detail {

void throw_current_error(MemoryContext caller) {
  MemoryContext home = AllocSetContextCreate(TopMemoryContext, "etl_orchestrator error", ALLOCSET_SMALL_SIZES);
  MemoryContextSwitchTo(home);
  ErrorData* data = CopyErrorData();
  FlushErrorState();
  MemoryContextSwitchTo(caller);
  throw Error(home, data);
}

}  // namespace etl::pg::detail
