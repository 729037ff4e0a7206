// Drives guard() and boundary() from inside a server, and counts what they promise: that destructors run. Also makes
// commits slow, for what happens in the middle of one.

#include "pg/boundary.h"
#include "pg/guard.h"

extern "C" {
#include "access/xact.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
}

namespace {

int alive = 0;  // objects that were constructed and not destroyed

struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

void raise_in_the_server() {
  const Counted innermost;
  etl::pg::guard([] {
    ereport(ERROR, (errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("deep message"), errdetail("deep detail"),
                    errhint("deep hint"), errcontext("deep context")));
  });
}

void second_frame() {
  const Counted counted;
  const std::string text(1000, 'x');
  raise_in_the_server();
}

void third_frame() {
  const std::unique_ptr<Counted> counted = std::make_unique<Counted>();
  second_frame();
}

long commit_delay_us = 0;

// Called after the callbacks that were registered later.
void delay_commit(XactEvent event, void*) {
  if (event == XACT_EVENT_COMMIT && commit_delay_us > 0) pg_usleep(commit_delay_us);
}

}  // namespace

extern "C" {

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(gates_alive);
PG_FUNCTION_INFO_V1(gates_deep_error);
PG_FUNCTION_INFO_V1(gates_exception);
PG_FUNCTION_INFO_V1(gates_caught);
PG_FUNCTION_INFO_V1(gates_start_worker);
PG_FUNCTION_INFO_V1(gates_delay_commits);

Datum gates_alive(PG_FUNCTION_ARGS) {
  PG_RETURN_INT32(alive);
}

// An error of the server, three C++ frames below the entry point.
Datum gates_deep_error(PG_FUNCTION_ARGS) {
  etl::pg::boundary([] { third_frame(); });
  PG_RETURN_VOID();
}

// Exceptions of C++'s own, by kind.
Datum gates_exception(PG_FUNCTION_ARGS) {
  const int kind = PG_GETARG_INT32(0);
  etl::pg::boundary([&] {
    const Counted counted;
    if (kind == 0) throw std::runtime_error("plain exception");
    if (kind == 1) throw std::bad_alloc();
    if (kind == 2) throw etl::pg::Failure(ERRCODE_INVALID_NAME, "our message", "our detail", "our hint");
    throw 42;
  });
  PG_RETURN_VOID();
}

// An error that is caught in C++ and looked at: its SQLSTATE as text. The transaction is aborted by the caller.
Datum gates_caught(PG_FUNCTION_ARGS) {
  return etl::pg::boundary([]() -> Datum {
    try {
      third_frame();
    } catch (const etl::pg::Error& error) {
      const etl::pg::Error copy = error;
      throw etl::pg::Failure(ERRCODE_RAISE_EXCEPTION, std::string("caught ") + unpack_sql_state(copy.sqlstate()));
    }
    return Datum(0);
  });
}

// A background worker whose main throws a C++ exception: it must end alone.
PGDLLEXPORT void gates_worker_main(Datum kind) {
  etl::pg::boundary([&] {
    BackgroundWorkerUnblockSignals();
    const Counted counted;
    if (DatumGetInt32(kind) == 0) throw std::runtime_error("exception in a worker");
    raise_in_the_server();
  });
}

// Starts that worker from this library's path and waits until it has ended.
Datum gates_start_worker(PG_FUNCTION_ARGS) {
  BackgroundWorker worker;
  memset(&worker, 0, sizeof worker);
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_main_arg = Int32GetDatum(PG_GETARG_INT32(1));
  worker.bgw_notify_pid = MyProcPid;
  strlcpy(worker.bgw_library_name, text_to_cstring(PG_GETARG_TEXT_PP(0)), sizeof worker.bgw_library_name);
  strlcpy(worker.bgw_function_name, "gates_worker_main", sizeof worker.bgw_function_name);
  strlcpy(worker.bgw_name, "gates test", sizeof worker.bgw_name);
  BackgroundWorkerHandle* handle = nullptr;
  if (!RegisterDynamicBackgroundWorker(&worker, &handle)) ereport(ERROR, (errmsg("no worker slot")));
  PG_RETURN_BOOL(WaitForBackgroundWorkerShutdown(handle) == BGWH_STOPPED);
}

// From now on each commit of this session waits so many milliseconds when others can see its rows already, but have not
// been told of its tables yet.
Datum gates_delay_commits(PG_FUNCTION_ARGS) {
  static bool registered = false;
  if (!registered) RegisterXactCallback(delay_commit, nullptr);
  registered = true;
  commit_delay_us = PG_GETARG_INT32(0) * 1000L;
  PG_RETURN_VOID();
}
}
