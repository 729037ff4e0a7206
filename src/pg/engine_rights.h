// The rights of the engine, for the few statements that touch its own tables in a session of a user.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// How long somebody who calls a function of ours waits for somebody else's transaction.
constexpr const char* kLongestLockWait = "10s";

// For the life of this object the current user is the bootstrap superuser, the search_path holds the catalogs
// only, and SET ROLE is refused. Nothing that a user defined may run meanwhile: only Statements of ours on tables of
// schema setup and the catalogs. In a process of the engine the transaction may write, too, since a job may have made
// it read-only; in a session of a user it stays as the user wants it.
class EngineRights {
 public:
  // `lock_timeout`: how long to wait for somebody's lock, as a setting's text; null: as long as the session would.
  explicit EngineRights(const char* lock_timeout = nullptr);
  ~EngineRights();
  EngineRights(const EngineRights&) = delete;
  EngineRights& operator=(const EngineRights&) = delete;

 private:
  Oid user_ = InvalidOid;
  int security_context_ = 0;
  int guc_level_ = 0;
  bool read_only_ = false;
};

}  // namespace etl::pg
