// A worker: logs in as the owner of jobs, serves that owner only, and stays warm for the next job.
//
// It sleeps until the conductor has put work into its slot, runs it, says in the slot how it ended, and makes its
// session fresh again. It leaves when asked to, or when nothing came for the idle timeout.

#include "engine/advancing.h"
#include "engine/background.h"
#include "engine/crash_notes.h"
#include "engine/deadline.h"
#include "engine/executor.h"
#include "engine/notices.h"
#include "engine/session.h"
#include "engine/shared_commit.h"
#include "pg/boundary.h"
#include "pg/guard.h"
#include "pg/settings.h"
#include "pg/wait.h"

extern "C" {
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
}

namespace etl {

namespace {

constexpr long kResultMs = 1000;

int place = 0;  // of this worker's slot
bool holds_slot = false;
bool serving = false;  // between beginning tasks and reporting them

Slot& own_slot(const Locked& locked) {
  return locked->slots()[place];
}

// False if the conductor does not expect this worker any more.
bool take_slot(const StartOrder& order) {
  const Locked locked;
  Slot& slot = locked->slots()[order.place];
  if (slot.state != SlotState::kStarting || slot.generation != order.generation) return false;
  place = order.place;
  slot.state = SlotState::kIdle;
  slot.worker = MyProc;
  slot.pid = MyProcPid;
  slot.since = pg::monotonic_ms();
  holds_slot = true;
  locked.announce_result(MyDatabaseId);
  return true;
}

void give_back(Slot& slot) {
  for (int i = 0; i < slot.task_count; ++i) slot.tasks[i].outcome = Outcome::kNotStarted;
  slot.state = SlotState::kDone;
}

// However this process ends, its slot says so. What it was in the middle of is dead; work that it had not begun goes
// back; a result that the conductor has not taken yet stays. Called when the transaction has been rolled back and its
// locks are gone, so that what is dead leaves nothing behind.
void leave_at_exit(int, Datum) {
  if (!holds_slot) return;
  crash_notes::take_back(place);
  const Locked locked;
  Slot& slot = own_slot(locked);
  if (slot.state == SlotState::kBusy && serving) {
    slot.state = SlotState::kDead;
  } else if (slot.state == SlotState::kBusy) {
    give_back(slot);
  } else if (slot.state != SlotState::kDone) {
    slot.state = SlotState::kFree;
  }
  slot.worker = nullptr;
  slot.pid = 0;
  holds_slot = false;
  locked.announce_result(MyDatabaseId);
  locked.announce_slot();
}

// What the conductor has given this worker to do.
struct Order {
  RunKey run{};
  std::vector<Task> tasks;
};

enum class Next { kWork, kWait, kLeave };

Next look(Order* order, bool idle_too_long) {
  const Locked locked;
  Slot& slot = own_slot(locked);
  if (slot.state == SlotState::kBusy && slot.stop != StopReason::kNone) {  // before there was anything to stop
    give_back(slot);
    locked.announce_result(MyDatabaseId);
    return Next::kWait;
  }
  if (slot.state == SlotState::kBusy) {
    order->run = slot.run;
    order->tasks.assign(slot.tasks, slot.tasks + slot.task_count);
    serving = true;
    return Next::kWork;
  }
  const bool leave = slot.state == SlotState::kIdle && (slot.retire || idle_too_long);
  if (leave) slot.retire = true;  // nobody hands it work now
  return leave ? Next::kLeave : Next::kWait;
}

StopReason asked_to_stop() {
  return own_slot(Locked()).stop;
}

void report(const std::vector<Task>& tasks, const MadeDue& made_due = {}) {
  const Locked locked;
  Slot& slot = own_slot(locked);
  std::copy(tasks.begin(), tasks.end(), slot.tasks);
  slot.made_due = made_due;
  slot.state = SlotState::kDone;
  serving = false;
  locked.announce_result(MyDatabaseId);
}

void show_idle() {
  debug_query_string = nullptr;
  pgstat_report_activity(STATE_IDLE, nullptr);
}

class Worker {
 public:
  void run() {
    int64_t idle_since = pg::monotonic_ms();
    for (;;) {
      QueryCancelPending = false;  // meant for an attempt that has ended
      pg::check_interrupts();
      const int64_t until = idle_since + settings::idle_timeout_ms();
      Order order;
      const Next next = look(&order, pg::monotonic_ms() >= until);
      if (next == Next::kLeave) break;
      if (next == Next::kWork) {
        if (!serve(&order)) break;
        idle_since = pg::monotonic_ms();
        continue;
      }
      // Past its time, it waits for the conductor to take its last result.
      const long left = pg::milliseconds_until(until);
      pg::sleep_on_latch(left > 0 ? left : kResultMs, "EtlWorkerMain");
    }
    pg::guard([] { pgstat_report_stat(true); });
  }

 private:
  // False if this worker must not serve again: the settings of its owner have changed since its session began, and
  // only a new session has the new ones. Looked at once for each run.
  bool serve(Order* order) {
    if (have_roles_changed() || order->run.id != last_run_) {
      if (session_fingerprint(GetSessionUserId()) != fingerprint_) {
        for (Task& task : order->tasks) task.outcome = Outcome::kNotStarted;
        report(order->tasks);
        return false;
      }
      last_run_ = order->run.id;
    }
    const auto begins = [&](size_t index) { begin(*order, index); };
    MadeDue made_due{};
    if (order->tasks.front().attempt == kAdvance) {
      made_due = advance_branches(order->run, &order->tasks, asked_to_stop, begins);
    } else if (order->tasks.size() == 1) {
      begins(0);
      run_attempt(order->run, &order->tasks.front(), asked_to_stop);
    } else {
      run_together(order->run, &order->tasks, asked_to_stop, begins);
    }
    crash_notes::take_back(place);
    report(order->tasks, made_due);
    settings::clear_attempt();
    show_idle();
    const pg::CancelHeld held;  // what comes now was meant for the attempt
    reset_session();            // if it fails this worker ends: what cannot be made fresh is not used again
    pg::guard([] {
      MemoryContextReset(MessageContext);
      pgstat_report_stat(false);
    });
    return true;
  }

  // Says what it works on: in the crash notes for whoever comes after a crash, in its slot for those who look on.
  static void begin(const Order& order, size_t index) {
    const Task& task = order.tasks[index];
    crash_notes::note(place, {MyDatabaseId, order.run, task.step_id, task.attempt});
    const Locked locked;
    locked->slots()[place].progress = {static_cast<int>(index), 0, 0, pg::now()};
  }

  RunId last_run_ = 0;
  const uint64_t fingerprint_ = start_order().fingerprint;  // older than the settings of this session
};

}  // namespace

}  // namespace etl

extern "C" PGDLLEXPORT void etl_worker_main(Datum) {
  etl::pg::boundary([] {
    using namespace etl;
    pg::handle_background_signals();
    const StartOrder order = start_order();
    pg::guard([&] {
      BackgroundWorkerInitializeConnectionByOid(order.database, order.owner, compat::kWorkerConnectionFlags);
      MessageContext = AllocSetContextCreate(TopMemoryContext, "MessageContext", ALLOCSET_DEFAULT_SIZES);
      on_shmem_exit(leave_at_exit, 0);
    });
    if (!take_slot(order)) return;
    crash_notes::mind_quit_signal(place);
    install_executor_hooks(&shared_state()->slots()[place].progress);
    install_notice_keeper();
    watch_roles();
    install_deadlines();
    show_idle();
    Worker().run();
  });
}
