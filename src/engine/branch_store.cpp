#include "engine/branch_store.h"

namespace etl::branch_store {

namespace {

pg::Value number(int it) {
  return pg::value(static_cast<int32_t>(it));
}

std::vector<std::string> texts_of(const std::vector<SavedBranch>& branches, std::string SavedBranch::*field) {
  std::vector<std::string> texts;
  for (const SavedBranch& branch : branches) texts.push_back(branch.*field);
  return texts;
}

std::vector<int64_t> times_of(const std::vector<SavedBranch>& branches, TimestampTz SavedBranch::*field) {
  std::vector<int64_t> times;
  for (const SavedBranch& branch : branches) times.push_back(branch.*field);
  return times;
}

// Of forks, which not every branch has.
constexpr int64_t kNone = INT64_MIN;

std::vector<int64_t> counts_of(const std::vector<SavedBranch>& branches,
                               const std::function<int64_t(const Fork&)>& count) {
  std::vector<int64_t> counts;
  for (const SavedBranch& branch : branches) counts.push_back(branch.fork ? count(*branch.fork) : kNone);
  return counts;
}

}  // namespace

// Plans are made once, when there is nothing to tell a large table by: LATERAL with OFFSET 0 keeps them from reading
// all branches of an execution to find a few.

namespace {

std::vector<DueBranch> due_branches(const pg::Rows& rows) {
  std::vector<DueBranch> due;
  for (int i = 0; i < rows.size(); ++i)
    due.push_back({{{rows.int8(i, 0), rows.timestamp(i, 1)}, rows.int4(i, 2)}, rows.oid(i, 3)});
  return due;
}

}  // namespace

// What runs is found by the index that has its order.
std::vector<DueBranch> find_due(TimestampTz now, size_t most) {
  static pg::Statement find{
      "SELECT b.run_id, b.run_at, b.branch_id, b.owner_oid FROM (SELECT run_id FROM setup.executions "
      "WHERE status = 'RUNNING' AND database_oid = $1 ORDER BY timeout_at) e CROSS JOIN LATERAL (SELECT * "
      "FROM setup.execution_branches o WHERE o.run_id = e.run_id OFFSET 0) b WHERE b.is_due OR b.due <= $2 LIMIT $3",
      {OIDOID, TIMESTAMPTZOID, INT8OID}};
  return due_branches(
      find.run({pg::value(MyDatabaseId), pg::timestamp_value(now), pg::value(static_cast<int64_t>(most))}));
}

std::vector<DueBranch> find_due_in_time(TimestampTz now, size_t most) {
  static pg::Statement find{
      "SELECT run_id, run_at, branch_id, owner_oid FROM setup.execution_branches WHERE database_oid = $1 AND due <= $2 "
      "ORDER BY due LIMIT $3",
      {OIDOID, TIMESTAMPTZOID, INT8OID}};
  return due_branches(
      find.run({pg::value(MyDatabaseId), pg::timestamp_value(now), pg::value(static_cast<int64_t>(most))}));
}

std::vector<DueBranch> find_due_of(const std::vector<ToldBranches::Branch>& told, TimestampTz now) {
  static pg::Statement find{
      "SELECT b.run_id, b.run_at, b.branch_id, b.owner_oid FROM unnest($3, $4, $5) AS t(run_id, first, last) "
      "CROSS JOIN LATERAL (SELECT * FROM setup.execution_branches o WHERE o.run_id = t.run_id "
      "AND o.branch_id BETWEEN t.first AND t.last OFFSET 0) b WHERE b.database_oid = $1 "
      "AND (b.is_due OR b.due <= $2)",
      {OIDOID, TIMESTAMPTZOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID}};
  std::vector<int64_t> runs;
  std::vector<int> first, last;
  for (const ToldBranches::Branch& branch : told) {
    runs.push_back(branch.run_id);
    first.push_back(branch.number == ToldBranches::kAll ? 0 : branch.number);
    last.push_back(branch.number == ToldBranches::kAll ? INT_MAX : branch.number);
  }
  return due_branches(find.run({pg::value(MyDatabaseId), pg::timestamp_value(now), pg::int8_array(runs, kNone),
                                pg::int4_array(first), pg::int4_array(last)}));
}

TimestampTz next_due(TimestampTz after) {
  static pg::Statement find{
      "SELECT due FROM setup.execution_branches WHERE due > $1 AND database_oid = $2 ORDER BY due LIMIT 1",
      {TIMESTAMPTZOID, OIDOID}};
  const pg::Rows row = find.run({pg::timestamp_value(after), pg::value(MyDatabaseId)});
  return row.size() == 0 ? 0 : row.timestamp(0, 0);
}

std::vector<BranchKey> find_gone(const std::vector<BranchKey>& branches) {
  static pg::Statement find{
      "SELECT a.place FROM unnest($1::bigint[], $2::int[]) WITH ORDINALITY AS a(run_id, branch_id, place) "
      "WHERE NOT EXISTS (SELECT FROM setup.execution_branches b JOIN setup.executions e ON e.run_id = b.run_id "
      "AND e.stopped_at IS NULL WHERE b.run_id = a.run_id AND b.branch_id = a.branch_id)",
      {INT8ARRAYOID, INT4ARRAYOID}};
  std::vector<int64_t> runs;
  std::vector<int> numbers;
  for (const BranchKey& each : branches) {
    runs.push_back(each.run.id);
    numbers.push_back(each.branch);
  }
  const pg::Rows rows = find.run({pg::int8_array(runs, kNone), pg::int4_array(numbers)});
  std::vector<BranchKey> gone;
  for (int i = 0; i < rows.size(); ++i) gone.push_back(branches[static_cast<size_t>(rows.int8(i, 0) - 1)]);
  return gone;
}

namespace {

// Once for each parent: one that has many children has many versions, too.
void add_parent_revisions(const RunKey& run, std::vector<StoredBranch>* branches) {
  static pg::Statement read{
      "SELECT n.number, b.revision FROM unnest($2) AS n(number) CROSS JOIN LATERAL (SELECT o.revision "
      "FROM setup.execution_branches o WHERE o.run_id = $1 AND o.branch_id = n.number OFFSET 0) b",
      {INT8OID, INT4ARRAYOID}};
  std::set<int> parents;
  for (const StoredBranch& branch : *branches)
    if (branch.parent >= 0) parents.insert(branch.parent);
  if (parents.empty()) return;
  const pg::Rows rows = read.run({pg::value(run.id), pg::int4_array({parents.begin(), parents.end()})});
  std::map<int, int64_t> revisions;
  for (int i = 0; i < rows.size(); ++i) revisions[rows.int4(i, 0)] = rows.int8(i, 1);
  for (StoredBranch& branch : *branches)
    if (branch.parent >= 0) branch.parent_revision = revisions[branch.parent];
}

}  // namespace

std::vector<StoredBranch> read_due(const RunKey& run, const std::vector<int>& numbers) {
  static pg::Statement read{
      "SELECT n.number, b.position, b.task, b.event, b.is_handed_over, b.revision, b.parent, b.child, "
      "b.quiet, b.crashes, b.fork_first, b.fork_count, b.result FROM unnest($2) AS n(number) CROSS JOIN LATERAL "
      "(SELECT *, "
      "token IS NOT NULL OR awaited_run IS NOT NULL AS is_handed_over FROM setup.execution_branches o "
      "WHERE o.run_id = $1 AND o.branch_id = n.number OFFSET 0) b WHERE b.run_at = $3 "
      "AND (b.is_due OR b.due <= clock_timestamp())",
      {INT8OID, INT4ARRAYOID, TIMESTAMPTZOID}};
  const pg::Rows rows = read.run({pg::value(run.id), pg::int4_array(numbers), pg::timestamp_value(run.at)});
  std::vector<StoredBranch> branches;
  for (int i = 0; i < rows.size(); ++i) {
    StoredBranch branch;
    branch.number = rows.int4(i, 0);
    branch.position = rows.text(i, 1);
    branch.task = rows.text(i, 2);
    branch.event = rows.text(i, 3);
    branch.is_handed_over = rows.boolean(i, 4);
    branch.revision = rows.int8(i, 5);
    if (!rows.null(i, 6)) branch.parent = rows.int4(i, 6);
    branch.child = rows.int4(i, 7);
    branch.is_quiet = rows.boolean(i, 8);
    branch.crashes = rows.int4(i, 9);
    branch.first_child = rows.int4(i, 10);
    branch.children = rows.int4(i, 11);
    branch.result = rows.text(i, 12);
    branches.push_back(std::move(branch));
  }
  add_parent_revisions(run, &branches);
  return branches;
}

std::optional<Position> read_position(const RunKey& run, int branch) {
  static pg::Statement read{
      "SELECT position, parent FROM setup.execution_branches WHERE run_id = $1 AND branch_id = $2", {INT8OID, INT4OID}};
  const pg::Rows row = read.run({pg::value(run.id), number(branch)});
  if (row.size() == 0) return std::nullopt;
  return Position{row.text(0, 0), row.null(0, 1) ? -1 : row.int4(0, 1)};
}

namespace {

#define LOCK_BRANCHES                                                                                      \
  "SELECT n.number, b.revision, b.is_due OR b.due IS NOT NULL, b.fork_rules, b.fork_first, b.fork_count, " \
  "b.fork_begun, "                                                                                         \
  "b.fork_ended, b.fork_failed FROM unnest($2) AS n(number) CROSS JOIN LATERAL (SELECT * FROM "            \
  "setup.execution_branches o WHERE o.run_id = $1 AND o.branch_id = n.number FOR UPDATE"

std::map<int, LockedBranch> lock_by(pg::Statement& statement, const RunKey& run, const std::set<int>& numbers) {
  const pg::Rows rows = statement.run({pg::value(run.id), pg::int4_array({numbers.rbegin(), numbers.rend()})});
  std::map<int, LockedBranch> locked;
  for (int i = 0; i < rows.size(); ++i)
    locked[rows.int4(i, 0)] = {
        rows.int8(i, 1),
        rows.boolean(i, 2),
        {rows.text(i, 3), rows.int4(i, 4), rows.int4(i, 5), rows.int8(i, 6), rows.int8(i, 7), rows.int8(i, 8)}};
  return locked;
}

}  // namespace

std::map<int, LockedBranch> lock(const RunKey& run, const std::set<int>& numbers) {
  static pg::Statement wait{LOCK_BRANCHES ") b", {INT8OID, INT4ARRAYOID}};
  return lock_by(wait, run, numbers);
}

std::map<int, LockedBranch> try_lock(const RunKey& run, const std::set<int>& numbers) {
  static pg::Statement skip{LOCK_BRANCHES " SKIP LOCKED) b", {INT8OID, INT4ARRAYOID}};
  return lock_by(skip, run, numbers);
}

std::vector<KeptBranch> read_all(const RunKey& run) {
  static pg::Statement read{
      "SELECT branch_id, parent, child, position, result, fork_rules, fork_first, fork_count, fork_begun, "
      "fork_ended, fork_failed, revision FROM setup.execution_branches WHERE run_id = $1 ORDER BY branch_id DESC FOR "
      "UPDATE",
      {INT8OID}};
  const pg::Rows rows = read.run({pg::value(run.id)});
  std::vector<KeptBranch> branches;
  for (int i = 0; i < rows.size(); ++i)
    branches.push_back(
        {rows.int4(i, 0),
         rows.null(i, 1) ? -1 : rows.int4(i, 1),
         rows.int4(i, 2),
         rows.int8(i, 11),
         rows.text(i, 3),
         rows.text(i, 4),
         {rows.text(i, 5), rows.int4(i, 6), rows.int4(i, 7), rows.int8(i, 8), rows.int8(i, 9), rows.int8(i, 10)}});
  return branches;
}

bool save(const RunKey& run, std::vector<SavedBranch> branches) {
  static pg::Statement update{
      "UPDATE setup.execution_branches b SET revision = b.revision + 1, position = s.position, "
      "task = nullif(s.task, ''), event = NULL, token = nullif(s.token, ''), awaited_run = s.awaited_run, "
      "is_due = s.due IS NOT NULL AND s.due = '-infinity', due = nullif(s.due, '-infinity'), "
      "timeout_at = s.timeout_at, heartbeat = make_interval(secs => s.heartbeat_us * 0.000001), "
      "fork_rules = nullif(s.rules, ''), fork_first = s.first, fork_count = s.children, fork_begun = s.begun, "
      "fork_ended = s.ended, "
      "fork_failed = s.failed, result = nullif(s.result, ''), crashes = 0 "
      "FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], "
      "$8::timestamptz[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], "
      "$15::text[], $16::bigint[], $17::bigint[]) AS s(branch_id, position, task, token, awaited_run, due, timeout_at, "
      "heartbeat_us, "
      "rules, first, begun, ended, failed, result, children, revision) CROSS JOIN LATERAL (SELECT o.ctid FROM "
      "setup.execution_branches o WHERE o.run_id = $1 AND o.branch_id = s.branch_id OFFSET 0) place "
      "WHERE b.ctid = place.ctid AND b.revision = s.revision",
      {INT8OID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID,
       TIMESTAMPTZARRAYOID, INT8ARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
       TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID}};
  std::ranges::sort(branches, std::greater<>(), &SavedBranch::number);  // the order in which they are locked
  std::vector<int> numbers;
  std::vector<int64_t> awaited, heartbeats, revisions;
  std::vector<std::string> rules;
  for (const SavedBranch& branch : branches) {
    numbers.push_back(branch.number);
    revisions.push_back(branch.revision);
    awaited.push_back(branch.awaited_run);
    heartbeats.push_back(static_cast<int64_t>(branch.heartbeat_seconds * USECS_PER_SEC));
    rules.push_back(branch.fork ? branch.fork->rules : "");
  }
  const pg::Rows rows = update.run(
      {pg::value(run.id), pg::int4_array(numbers), pg::text_array(texts_of(branches, &SavedBranch::position)),
       pg::text_array(texts_of(branches, &SavedBranch::task)), pg::text_array(texts_of(branches, &SavedBranch::token)),
       pg::int8_array(awaited, 0), pg::timestamp_array(times_of(branches, &SavedBranch::due), kNever),
       pg::timestamp_array(times_of(branches, &SavedBranch::timeout), kNever), pg::int8_array(heartbeats, 0),
       pg::text_array(rules), pg::int8_array(counts_of(branches, [](const Fork& fork) { return fork.first; }), kNone),
       pg::int8_array(counts_of(branches, [](const Fork& fork) { return fork.begun; }), kNone),
       pg::int8_array(counts_of(branches, [](const Fork& fork) { return fork.ended; }), kNone),
       pg::int8_array(counts_of(branches, [](const Fork& fork) { return fork.failed_weight; }), kNone),
       pg::text_array(texts_of(branches, &SavedBranch::result)),
       pg::int8_array(counts_of(branches, [](const Fork& fork) { return fork.count; }), kNone),
       pg::int8_array(revisions, kNone)});
  return rows.processed() == branches.size();
}

bool mark_counted(const RunKey& run, const std::vector<RevisedBranch>& branches) {
  static pg::Statement update{
      "UPDATE setup.execution_branches b SET revision = b.revision + 1, is_due = false, crashes = 0 "
      "FROM unnest($2::int[], $3::bigint[]) AS n(number, revision) CROSS JOIN LATERAL (SELECT o.ctid "
      "FROM setup.execution_branches o WHERE o.run_id = $1 AND o.branch_id = n.number OFFSET 0) place "
      "WHERE b.ctid = place.ctid AND b.revision = n.revision",
      {INT8OID, INT4ARRAYOID, INT8ARRAYOID}};
  std::map<int, int64_t, std::greater<>> sorted;  // in the order in which they are locked
  for (const RevisedBranch& branch : branches) sorted[branch.number] = branch.revision;
  std::vector<int> numbers;
  std::vector<int64_t> revisions;
  for (const auto& [branch, revision] : sorted) {
    numbers.push_back(branch);
    revisions.push_back(revision);
  }
  return update.run({pg::value(run.id), pg::int4_array(numbers), pg::int8_array(revisions, kNone)}).processed() ==
         branches.size();
}

void mark_uncounted(const RunKey& run, const std::vector<int>& numbers) {
  static pg::Statement update{
      "UPDATE setup.execution_branches b SET is_due = true FROM unnest($2) AS n(number) CROSS JOIN LATERAL (SELECT "
      "o.ctid "
      "FROM setup.execution_branches o WHERE o.run_id = $1 AND o.branch_id = n.number OFFSET 0) place "
      "WHERE b.ctid = place.ctid",
      {INT8OID, INT4ARRAYOID}};
  update.run({pg::value(run.id), pg::int4_array(numbers)});
}

void save_fork(const BranchKey& parent, const Fork& fork) {
  static pg::Statement update{
      "UPDATE setup.execution_branches SET fork_begun = $3, fork_ended = $4, fork_failed = $5 "
      "WHERE run_id = $1 AND branch_id = $2",
      {INT8OID, INT4OID, INT8OID, INT8OID, INT8OID}};
  update.run({pg::value(parent.run.id), number(parent.branch), pg::value(fork.begun), pg::value(fork.ended),
              pg::value(fork.failed_weight)});
}

void add_children(const BranchKey& parent, const std::vector<NewBranch>& children) {
  static pg::Statement insert{
      "INSERT INTO setup.execution_branches (run_id, run_at, branch_id, owner_oid, database_oid, is_due, position, "
      "parent, child, "
      "result, quiet) "
      "SELECT p.run_id, p.run_at, c.branch, p.owner_oid, p.database_oid, c.position <> '', "
      "c.position, p.branch_id, c.child, nullif(c.result, ''), p.quiet OR c.quiet = 1 "
      "FROM setup.execution_branches p CROSS JOIN unnest($3::int[], $4::int[], $5::text[], $6::text[], $7::int[]) "
      "AS c(branch, child, position, result, quiet) "
      "WHERE p.run_id = $1 AND p.branch_id = $2",
      {INT8OID, INT4OID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID}};
  std::vector<int> numbers, places, quiet;
  std::vector<std::string> positions, results;
  for (const NewBranch& child : children) {
    numbers.push_back(child.number);
    places.push_back(child.child);
    positions.push_back(child.position);
    results.push_back(child.result);
    quiet.push_back(child.is_quiet ? 1 : 0);
  }
  insert.run({pg::value(parent.run.id), number(parent.branch), pg::int4_array(numbers), pg::int4_array(places),
              pg::text_array(positions), pg::text_array(results), pg::int4_array(quiet)});
}

std::vector<std::string> results(const RunKey& run, int first, int count) {
  static pg::Statement read{
      "SELECT result FROM setup.execution_branches WHERE run_id = $1 AND branch_id >= $2 AND branch_id < $2 + $3 "
      "ORDER BY branch_id",
      {INT8OID, INT4OID, INT4OID}};
  const pg::Rows rows = read.run({pg::value(run.id), number(first), number(count)});
  std::vector<std::string> found;
  for (int i = 0; i < rows.size(); ++i) found.push_back(rows.text(i, 0));
  return found;
}

namespace {

// The branches below $2, as ranges of numbers.
#define FORKS_BELOW                                                                                                  \
  "WITH RECURSIVE forks AS (SELECT fork_first AS first, fork_count AS count FROM setup.execution_branches "          \
  "WHERE run_id = $1 AND branch_id = $2 UNION ALL SELECT b.fork_first, b.fork_count FROM forks f "                   \
  "JOIN setup.execution_branches b ON b.run_id = $1 AND b.branch_id >= f.first AND b.branch_id < f.first + f.count " \
  "WHERE b.fork_count IS NOT NULL) "
#define IS_BELOW "b.run_id = $1 AND b.branch_id >= f.first AND b.branch_id < f.first + f.count"

// By a statement of its own: the next one then sees what it waited for.
void lock_below(const BranchKey& parent) {
  static pg::Statement lock_rows{FORKS_BELOW "SELECT FROM forks f JOIN setup.execution_branches b ON " IS_BELOW
                                             " ORDER BY b.branch_id DESC FOR UPDATE OF b",
                                 {INT8OID, INT4OID}};
  lock_rows.run({pg::value(parent.run.id), number(parent.branch)});
}

}  // namespace

void remove_children(const BranchKey& parent) {
  static pg::Statement remove{FORKS_BELOW "DELETE FROM setup.execution_branches b USING forks f WHERE " IS_BELOW,
                              {INT8OID, INT4OID}};
  lock_below(parent);
  remove.run({pg::value(parent.run.id), number(parent.branch)});
}

void stop_children(const BranchKey& parent) {
  static pg::Statement stop{
      FORKS_BELOW
      "UPDATE setup.execution_branches b SET revision = b.revision + 1, is_due = false, due = NULL, token = NULL, "
      "awaited_run = NULL FROM forks f WHERE " IS_BELOW,
      {INT8OID, INT4OID}};
  lock_below(parent);
  stop.run({pg::value(parent.run.id), number(parent.branch)});
}

void tell(const BranchKey& key, const std::string& event) {
  static pg::Statement update{
      "UPDATE setup.execution_branches SET event = nullif($3, ''), is_due = true "
      "WHERE run_id = $1 AND branch_id = $2",
      {INT8OID, INT4OID, TEXTOID}};
  update.run({pg::value(key.run.id), number(key.branch), pg::value(event)});
}

void tell_run_ended(RunId run_id) {
  static pg::Statement update{
      "UPDATE setup.execution_branches SET event = '{\"type\":\"RunEnded\"}', is_due = true "
      "WHERE awaited_run = $1 AND event IS NULL RETURNING run_id, branch_id",
      {INT8OID}};
  const pg::Rows told = update.run({pg::value(run_id)});
  for (int i = 0; i < told.size(); ++i) call_conductor_at_commit({told.int8(i, 0), told.int4(i, 1)});
}

void cancel_awaited(const BranchKey& top) {
  static pg::Statement find{
      FORKS_BELOW
      "SELECT r.run_id FROM (SELECT o.awaited_run FROM setup.execution_branches o WHERE o.run_id = $1 "
      "AND o.branch_id = $2 UNION ALL SELECT b.awaited_run FROM forks f JOIN setup.execution_branches b ON " IS_BELOW
      ") w JOIN setup.load_runs r ON r.run_id = w.awaited_run WHERE w.awaited_run IS NOT NULL AND r.finished_at IS "
      "NULL",
      {INT8OID, INT4OID}};
  const pg::Rows rows = find.run({pg::value(top.run.id), number(top.branch)});
  std::vector<RunId> awaited;
  for (int i = 0; i < rows.size(); ++i) awaited.push_back(rows.int8(i, 0));
  for (const RunId run_id : awaited) run_store::request_cancel(run_id);
  if (!awaited.empty()) call_conductor_at_commit();
}

void record_crash(const BranchKey& key) {
  static pg::Statement update{
      "UPDATE setup.execution_branches SET crashes = crashes + 1 WHERE run_id = $1 AND run_at = $2 AND branch_id = $3",
      {INT8OID, TIMESTAMPTZOID, INT4OID}};
  update.run({pg::value(key.run.id), pg::timestamp_value(key.run.at), number(key.branch)});
}

void lock_all(const RunKey& run) {
  static pg::Statement lock_rows{
      "SELECT FROM setup.execution_branches WHERE run_id = $1 AND run_at = $2 ORDER BY branch_id DESC FOR UPDATE",
      {INT8OID, TIMESTAMPTZOID}};
  lock_rows.run({pg::value(run.id), pg::timestamp_value(run.at)});
}

void end_locked(const RunKey& run, bool keep) {
  static pg::Statement stop{
      "UPDATE setup.execution_branches SET revision = revision + 1, is_due = false, due = NULL, token = NULL, "
      "awaited_run = NULL "
      "WHERE run_id = $1 AND run_at = $2 AND (is_due OR due IS NOT NULL OR token IS NOT NULL OR awaited_run IS NOT "
      "NULL)",
      {INT8OID, TIMESTAMPTZOID}};
  static pg::Statement remove{"DELETE FROM setup.execution_branches WHERE run_id = $1 AND run_at = $2",
                              {INT8OID, TIMESTAMPTZOID}};
  if (keep) cancel_awaited({run, 0});
  (keep ? stop : remove).run({pg::value(run.id), pg::timestamp_value(run.at)});
}

void end_all(const RunKey& run, bool keep) {
  lock_all(run);
  end_locked(run, keep);
}

bool is_awaited(const std::string& token) {
  static pg::Statement find{"SELECT FROM setup.execution_branches WHERE token = $1", {TEXTOID}};
  return find.read_latest({pg::value(token)}).size() > 0;
}

bool report(const std::string& token, const std::optional<std::string>& event) {
  static pg::Statement insert{
      "INSERT INTO setup.task_reports (token, event) VALUES ($1, $2) "
      "ON CONFLICT (token) WHERE event IS NOT NULL DO NOTHING",
      {TEXTOID, TEXTOID}};
  return insert.run({pg::value(token), event ? pg::value(*event) : pg::null_value()}).processed() == 1;
}

std::vector<ToldBranches::Branch> apply_reports() {
  static pg::Statement find{"SELECT FROM setup.task_reports LIMIT 1", {}};
  // A heartbeat that was late by the time at which it was sent does not count: the branch is due then.
  static pg::Statement apply{
      "WITH taken AS (DELETE FROM setup.task_reports RETURNING *), "
      "last AS (SELECT DISTINCT ON (token) token, event, reported_at FROM taken "
      "ORDER BY token, event IS NULL, reported_at DESC) "
      "UPDATE setup.execution_branches b SET event = l.event, "
      "is_due = l.event IS NOT NULL, "
      "due = CASE WHEN l.event IS NULL THEN least(b.timeout_at, l.reported_at + b.heartbeat) ELSE b.due END "
      "FROM last l WHERE b.token = l.token AND b.event IS NULL RETURNING b.run_id, b.branch_id",
      {}};
  std::vector<ToldBranches::Branch> told;
  if (find.run().size() == 0) return told;
  const pg::Rows rows = apply.run();
  for (int i = 0; i < rows.size(); ++i) told.push_back({rows.int8(i, 0), rows.int4(i, 1)});
  return told;
}

}  // namespace etl::branch_store
