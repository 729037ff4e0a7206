#include "engine/background.h"

#include "pg/guard.h"

namespace etl {

namespace {

constexpr const char* kLibrary = "etl_orchestrator";

void fill_common(BackgroundWorker* worker, const char* entry_point, const char* name, const char* type) {
  worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
  strlcpy(worker->bgw_library_name, kLibrary, sizeof worker->bgw_library_name);
  strlcpy(worker->bgw_function_name, entry_point, sizeof worker->bgw_function_name);
  strlcpy(worker->bgw_name, name, sizeof worker->bgw_name);
  strlcpy(worker->bgw_type, type, sizeof worker->bgw_type);
}

}  // namespace

void register_launcher() {
  BackgroundWorker worker{};
  fill_common(&worker, "etl_launcher_main", "etl_orchestrator launcher", "etl_orchestrator launcher");
  worker.bgw_restart_time = 1;
  RegisterBackgroundWorker(&worker);
}

BackgroundWorkerHandle* start_background(const char* entry_point, const std::string& name, const char* type,
                                         const StartOrder& order) {
  static_assert(sizeof(StartOrder) <= BGW_EXTRALEN);
  return pg::guard([&]() -> BackgroundWorkerHandle* {
    BackgroundWorker worker{};
    fill_common(&worker, entry_point, name.c_str(), type);
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    worker.bgw_notify_pid = MyProcPid;
    memcpy(worker.bgw_extra, &order, sizeof order);
    const MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);  // who asked frees the handle
    BackgroundWorkerHandle* handle = nullptr;
    const bool registered = RegisterDynamicBackgroundWorker(&worker, &handle);
    MemoryContextSwitchTo(caller);
    return registered ? handle : nullptr;
  });
}

StartOrder start_order() {
  StartOrder order;
  memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof order);
  return order;
}

void connect_engine_process(Oid database) {
  pg::guard([&] {
    BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
    // What ALTER DATABASE may have set must not keep the engine from its tables.
    const char* const settings[][2] = {{"search_path", "pg_catalog, pg_temp"},
                                       {"lock_timeout", "2s"},
                                       {"enable_seqscan", "off"},  // as under EngineRights
                                       {"enable_bitmapscan", "off"},
                                       {"jit", "off"},
                                       {"default_transaction_read_only", "off"},
                                       {"default_transaction_isolation", "read committed"},
                                       {"default_transaction_deferrable", "off"}};
    for (const auto& [name, value] : settings) SetConfigOption(name, value, PGC_USERSET, PGC_S_OVERRIDE);
  });
}

void log_line(int level, const std::string& message, const std::string& hint) {
  pg::guard([&] {
    ereport(level, (errmsg_internal("%s", message.c_str()), hint.empty() ? 0 : errhint("%s", hint.c_str())));
  });
}

}  // namespace etl
