#include "engine/busy_workers.h"

#include "pg/engine_rights.h"
#include "pg/roles.h"
#include "pg/settings.h"
#include "pg/spi.h"

namespace etl {

bool BusyWorker::has(const RunKey& run, StepId id, bool (*holds)(int task, int current)) const {
  if (work.run != run) return false;
  const auto task =
      std::find_if(work.tasks.begin(), work.tasks.end(), [&](const Task& it) { return it.step_id == id; });
  return task != work.tasks.end() && holds(static_cast<int>(task - work.tasks.begin()), progress.task);
}

bool BusyWorker::is_at(const RunKey& run, StepId id) const {
  return pid != 0 && has(run, id, [](int task, int current) { return task == current; });
}

bool BusyWorker::is_next(const RunKey& run, StepId id) const {
  return has(run, id, [](int task, int current) { return task > current; });
}

BusyWorkers BusyWorkers::look() {
  BusyWorkers workers;
  const Locked locked;
  const Slot* slots = locked->slots();
  for (const Slot* slot = slots; slot != slots + locked->slot_count; ++slot) {
    if (slot->state == SlotState::kFree) continue;
    ++workers.taken;
    const bool busy = slot->state == SlotState::kBusy || slot->state == SlotState::kDone;
    if (slot->database != MyDatabaseId || !busy) continue;
    workers.busy.push_back(
        {{slot->owner, slot->run, {slot->tasks, slot->tasks + slot->task_count}, {}, false, slot->stop, 0, {}},
         slot->state == SlotState::kBusy ? slot->pid : 0,
         slot->progress});
  }
  const Seat* seat = locked.find_seat(MyDatabaseId);
  workers.has_conductor = seat != nullptr && seat->state == PlaceState::kRunning;
  const auto waits_for_room = [](const Seat& each) { return each.state == PlaceState::kWanted && each.server_is_full; };
  // Without a conductor here, or even a seat for one, what the launcher found for another database holds here too.
  const Seat* seats = locked->seats();
  workers.server_is_full =
      workers.has_conductor ? seat->server_is_full : std::any_of(seats, seats + locked->seat_count, waits_for_room);
  return workers;
}

std::string BusyWorkers::why_none_is_free() const {
  if (taken >= settings::max_workers())
    return pg::format("all workers are taken: etl_orchestrator.max_workers is %d", settings::max_workers());
  if (server_is_full) return "the server has no background worker slot left: max_worker_processes is too small";
  return has_conductor ? "is about to start" : "the conductor of this database is about to start";
}

bool find_blocker(int pid, Oid caller, Wait* wait) {
  static pg::Statement find{
      "SELECT CASE l.locktype WHEN 'relation' THEN format('waits for %s on %s', l.mode, l.relation::regclass) "
      "WHEN 'transactionid' THEN 'waits for a row' || coalesce((SELECT format(' of %s', t.relation::regclass) "
      "FROM pg_locks t WHERE t.pid = l.pid AND t.locktype = 'tuple' AND t.granted LIMIT 1), '') "
      "|| ', changed by a transaction' ELSE format('waits for %s on a lock of type %s', l.mode, l.locktype) END, "
      "b.pid, a.query, coalesce(a.usesysid, 0) "
      "FROM pg_locks l CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b(pid) "
      "LEFT JOIN pg_stat_activity a ON a.pid = b.pid WHERE l.pid = $1 AND NOT l.granted LIMIT 1",
      {INT4OID}};
  const pg::Rows rows = find.run({pg::value(static_cast<int32_t>(pid))});
  if (rows.size() == 0) return false;
  wait->reason = "lock";
  wait->pid = rows.int4(0, 1);
  wait->explanation = pg::format("%s; process %d holds it", rows.text(0, 0).c_str(), wait->pid);
  const Oid user = rows.oid(0, 3);
  if (OidIsValid(user) && pg::is_member(caller, user)) wait->query = rows.text(0, 2);
  return true;
}

bool explain_standstill(bool foreign, Wait* wait) {
  if (foreign) {
    wait->reason = "copied";
    wait->explanation = "the run was copied together with its database; setup.resume_run() lets it go on here";
    return true;
  }
  if (!settings::enabled()) {
    wait->reason = "disabled";
    wait->explanation = "etl_orchestrator.enabled is off";
    return true;
  }
  return false;
}

void explain_next(Wait* wait) {
  wait->reason = "worker";
  wait->explanation = "is next in a worker that runs several short jobs with one commit";
}

}  // namespace etl
