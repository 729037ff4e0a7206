// Executions of state machines as the conductor sees them: which branches can be advanced, and when. Of what they do it
// knows nothing. An execution that waits is rows in the tables; only what is due is here.
#pragma once

#include "engine/execution_store.h"
#include "engine/ready_branches.h"
#include "engine/worker_pool.h"

namespace etl {

class Executions {
 public:
  explicit Executions(WorkerPool& pool) : pool_(pool) {}

  // What workers are on, when a conductor takes over.
  void adopt(const std::vector<Finished>& busy);

  // True if the work was of an execution: then it is taken in.
  bool ended(const Finished& finished);

  // Looks into the tables, if there is a reason to; ends what is to be ended. pg::Error.
  void tend(bool has_news);

  std::vector<Oid> owners_with_work() const;

  // Hands what is due to one idle worker. False if there is none for it.
  bool hand_out_one();

  // No worker can start for a role.
  void fail_one_of(Oid owner, const std::string& problem);

  // Somebody has told branches something.
  void note(const ToldBranches& told);

  // The extension was dropped.
  void forget();

  bool has_work() const { return !ready_.empty() || !at_work_.empty(); }
  bool has_timer() const { return next_due_ != 0 || must_retry_; }
  long until_due() const;

 private:
  using BranchKey = branch_store::BranchKey;

  bool wants_look() const { return must_look_ || must_look_at_all_ || !told_.empty(); }
  void look();
  void must_look_again(bool it_must);
  int64_t next_look_ms() const;
  bool end(const execution_store::ToEnd& execution);
  void stop_gone();
  void record_death(const Finished& finished);
  void add(Oid owner, const BranchKey& key);
  void drop(RunId run_id);

  WorkerPool& pool_;
  std::map<Oid, ReadyBranches> ready_;  // by owner; none is empty
  std::set<BranchKey> known_;           // of ready_ and at_work_
  std::set<BranchKey> at_work_;
  std::set<BranchKey> due_again_;  // of at_work_: to be handed out once more when that has ended
  bool must_look_ = true;          // at what was asked for, and at what waits for a time
  bool must_look_at_all_ = true;
  std::vector<ToldBranches::Branch> told_;  // to be looked at
  int64_t looked_ms_ = 0;                   // when it was looked last
  bool must_stop_gone_ = false;             // somebody may be at work on what was stopped
  std::vector<Finished> deaths_;            // of workers, not yet recorded
  bool must_retry_ = false;                 // an execution could not be ended
  TimestampTz next_due_ = 0;                // 0: nothing waits for a time
};

}  // namespace etl
