#include "engine/visible_run.h"

#include "pg/engine_rights.h"
#include "pg/roles.h"

namespace etl {

run_store::State visible_run(RunId run_id) {
  const Oid caller = GetUserId();
  std::optional<run_store::State> state;
  {
    const pg::EngineRights rights;
    const pg::LatestSnapshot snapshot;
    const pg::Spi spi;
    state = run_store::read_state(run_id);
  }
  const auto may_see = [&](Oid role) { return OidIsValid(role) && pg::is_member(caller, role); };
  if (!state || !(may_see(state->started_by) || may_see(state->owner)))
    throw pg::Failure(ERRCODE_NO_DATA_FOUND, pg::format("run %lld does not exist", static_cast<long long>(run_id)), "",
                      "SELECT run_id, status FROM setup.load_runs ORDER BY run_id DESC; lists your runs.");
  return *state;
}

pg::Failure foreign_run(RunId run_id) {
  return pg::Failure(
      ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
      pg::format("run %lld was copied together with its database, and does not go on by itself",
                 static_cast<long long>(run_id)),
      "It may be going on in the database that this one is a copy of.",
      pg::format("SELECT setup.resume_run(%lld); lets it go on here, too, or setup.cancel_run() ends it.",
                 static_cast<long long>(run_id)));
}

}  // namespace etl
