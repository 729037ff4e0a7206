#include "pg/engine_rights.h"

#include "pg/guard.h"

extern "C" {
#include "catalog/pg_authid.h"
}

namespace etl::pg {

namespace {

bool is_process_of_engine() {
  return MyBgworkerEntry != nullptr && strcmp(MyBgworkerEntry->bgw_library_name, "etl_orchestrator") == 0;
}

}  // namespace

EngineRights::EngineRights(const char* lock_timeout) {
  GetUserIdAndSecContext(&user_, &security_context_);
  read_only_ = XactReadOnly;
  guc_level_ = guard([&] {
    const int level = NewGUCNestLevel();
    set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                      false);
    // Plans are kept, and must not depend on how small a table once was. What must be read from end to end then looks
    // dear enough to be compiled.
    set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    set_config_option("enable_bitmapscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    if (lock_timeout != nullptr)
      set_config_option("lock_timeout", lock_timeout, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    return level;
  });
  SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, security_context_ | SECURITY_LOCAL_USERID_CHANGE);
  if (is_process_of_engine()) XactReadOnly = false;
}

EngineRights::~EngineRights() {
  XactReadOnly = read_only_;
  SetUserIdAndSecContext(user_, security_context_);
  AtEOXact_GUC(false, guc_level_);
}

}  // namespace etl::pg
