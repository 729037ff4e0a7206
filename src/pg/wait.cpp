#include "pg/wait.h"

#include "pg/clock.h"
#include "pg/guard.h"

extern "C" {
#include "libpq/pqsignal.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"
#include "tcop/tcopprot.h"
#include "utils/pidfile.h"
}

namespace etl::pg {

bool sleep_on_latch(long milliseconds, const char* wait_event_name) {
  static uint32 event = 0;
  return guard([&] {
    if (event == 0) event = compat::wait_event(wait_event_name);
    const int flags = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH | (milliseconds == kForever ? 0 : WL_TIMEOUT);
    const int woken = WaitLatch(MyLatch, flags, std::min<long>(milliseconds, INT_MAX), event);
    ResetLatch(MyLatch);
    return (woken & WL_LATCH_SET) != 0;
  });
}

void sleep_on_latch_or_socket(int descriptor, const char* wait_event_name, long milliseconds) {
  static uint32 event = 0;
  guard([&] {
    if (event == 0) event = compat::wait_event(wait_event_name);
    const int flags =
        WL_LATCH_SET | WL_SOCKET_READABLE | WL_EXIT_ON_PM_DEATH | (milliseconds == kForever ? 0 : WL_TIMEOUT);
    WaitLatchOrSocket(MyLatch, flags, descriptor, std::min<long>(milliseconds, INT_MAX), event);
    ResetLatch(MyLatch);
  });
}

void check_interrupts() {
  guard([] {
    CHECK_FOR_INTERRUPTS();
    if (ConfigReloadPending && MyBackendType == B_BG_WORKER) {
      ConfigReloadPending = false;
      ProcessConfigFile(PGC_SIGHUP);
    }
  });
}

CancelHeld::CancelHeld() {
  HOLD_CANCEL_INTERRUPTS();
}

void CancelHeld::release() {
  // An error of the server releases all holds by itself.
  if (held_ && QueryCancelHoldoffCount > 0) RESUME_CANCEL_INTERRUPTS();
  held_ = false;
}

void handle_background_signals() {
  pqsignal(SIGTERM, die);
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  pqsignal(SIGINT, StatementCancelHandler);
  BackgroundWorkerUnblockSignals();
}

namespace {

constexpr int64_t kLongestNoticeMs = 1000;

bool server_is_stopping() {
  // The postmaster writes its state into its lock file before it signals anybody.
  FILE* file = fopen("postmaster.pid", "r");
  if (file == nullptr) return errno == ENOENT;
  char line[MAXPGPATH];
  bool stopping = false;
  for (int number = 1; fgets(line, sizeof line, file) != nullptr; ++number) {
    if (number == LOCK_FILE_LINE_PM_STATUS) stopping = strncmp(line, PM_STATUS_STOPPING, 8) == 0;
  }
  fclose(file);
  return stopping;
}

}  // namespace

void leave_if_server_stops() {
  // Not PostmasterIsAlive(), which goes by a signal: others may know from the pipe before it comes.
  guard([] {
    if (!PostmasterIsAliveInternal()) proc_exit(1);
  });
  if (!server_is_stopping()) return;
  const int64_t until = monotonic_ms() + kLongestNoticeMs;
  for (int64_t now = monotonic_ms(); now < until; now = monotonic_ms()) {
    check_interrupts();
    sleep_on_latch(static_cast<long>(until - now), "EtlShutdownWait");
  }
  check_interrupts();
}

}  // namespace etl::pg
