// What the conductor learns from the tables: runs that are new, cancelled or gone, jobs that are held or let go, limits
// that have changed, and work that was left when the server went down.
#pragma once

#include "engine/dispatcher.h"

namespace etl {

class Intake {
 public:
  Intake(Runs& runs, WorkerPool& pool, Admission& admission, JobHolds& holds)
      : runs_(runs), pool_(pool), admission_(admission), holds_(holds) {}

  // What workers were on when this conductor came.
  void adopt(std::vector<Finished> busy) { adopted_ = std::move(busy); }

  // A worker's tasks have ended.
  void ended(const Finished& work);

  // Reads what is there now. False if something could not be read and must be tried again; pg::Error where nothing
  // could.
  bool look();

  // The extension, as of the last look; InvalidOid: it is not there.
  Oid extension() const { return extension_; }

  // True while a run waits for another one to end.
  bool has_queue() const { return has_queue_; }

 private:
  void call_watcher();
  void settle_crashes();
  void forget_extension(Oid present);
  void drop_vanished(const std::vector<run_store::Head>& heads);
  void load(const run_store::Head& head, const std::vector<run_store::Head>& heads);
  std::unique_ptr<ActiveRun> read(const run_store::Head& head);
  void heed_cancel(const run_store::Head& head);
  void take_over(std::unique_ptr<ActiveRun> run);
  bool must_wait(const run_store::Head& head, const std::vector<run_store::Head>& heads,
                 std::optional<run_store::Ending>* ending);
  void heed_holds();

  Runs& runs_;
  WorkerPool& pool_;
  Admission& admission_;
  JobHolds& holds_;
  Oid extension_ = InvalidOid;
  std::vector<Finished> adopted_;
  std::map<RunId, RunId> queued_behind_;  // the run that one was found to wait for
  std::set<RunId> unsettled_;             // runs with a crash that is not written down yet: they must not go on
  std::map<RunId, int> unreadable_;       // runs that could not be read, and how often that was tried
  bool has_queue_ = false;
  bool complete_ = true;  // of this look
  bool has_called_watcher_ = false;
};

// Rolls back, and complains about one run in the server's log.
void complain(RunId run, const char* message);

}  // namespace etl
