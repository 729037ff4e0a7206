#include "engine/loaded_table.h"

#include "engine/executor.h"
#include "pg/engine_rights.h"
#include "pg/relations.h"
#include "pg/replacement.h"
#include "pg/roles.h"
#include "pg/spi.h"

namespace etl {

namespace {

// A foreign key of another table by which deleting rows here would change rows there; empty if there is none. It may
// refer to one partition only.
std::string key_that_acts_on_delete(Oid relation) {
  static pg::Statement find{
      "WITH members AS (SELECT $1 AS relid UNION SELECT relid FROM pg_partition_tree($1)) "
      "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid IN (SELECT relid FROM members) "
      "AND conrelid NOT IN (SELECT relid FROM members) AND confdeltype IN ('c', 'n', 'd') ORDER BY conname LIMIT 1",
      {OIDOID}};
  const pg::EngineRights rights;
  const pg::Spi spi;
  const pg::Rows found = find.read_latest({pg::value(relation)});
  return found.size() == 0 ? "" : found.text(0, 0);
}

void require_plain_delete(Oid relation, const std::string& table) {
  const std::string key = key_that_acts_on_delete(relation);
  if (!key.empty())
    throw pg::Failure(
        ERRCODE_FEATURE_NOT_SUPPORTED,
        pg::format("the rows of table %s cannot be replaced: foreign key \"%s\" would take rows of another "
                   "table along",
                   table.c_str(), key.c_str()),
        "", "Let the foreign key do nothing on delete, or load another table and update this one from it.");
  if (pg::has_delete_rule(relation))
    throw pg::Failure(
        ERRCODE_FEATURE_NOT_SUPPORTED,
        pg::format("the rows of table %s cannot be replaced: a rule says what to delete means", table.c_str()), "",
        "Drop the rule, or load another table and update this one from it.");
}

// What a table and its partitions do when rows come: their constraints, defaults and indexes run functions of their
// owners' choice, and triggers may be somebody else's.
void require_no_code_of_ordinary_roles(Oid relation) {
  if (!pg::role_is_superuser(GetUserId())) return;
  for (const Oid member : pg::hold_members(relation)) {
    const std::string name = pg::name_of_table(member).quoted();
    if (!pg::role_is_superuser(pg::table_owner(member)))
      throw pg::Failure(ERRCODE_INSUFFICIENT_PRIVILEGE,
                        pg::format("table %s belongs to a role that is no superuser, unlike the job", name.c_str()),
                        "What its owner has put into it would run with a superuser's rights.",
                        "Give the job to the table's owner.");
    const std::string trigger = pg::trigger_of_ordinary_role(member);
    if (!trigger.empty())
      throw pg::Failure(
          ERRCODE_INSUFFICIENT_PRIVILEGE,
          pg::format("trigger \"%s\" on table %s would run with a superuser's rights", trigger.c_str(), name.c_str()),
          "Its function belongs to a role that is no superuser.",
          "Give the job to an ordinary role, or the trigger's function to a superuser.");
  }
}

}  // namespace

Oid take_table(const std::string& table, bool must_be_owned) {
  const Oid relation = pg::hold_table(pg::parse_table_name(table, ""));
  if (!OidIsValid(relation))
    throw pg::Failure(ERRCODE_UNDEFINED_TABLE, pg::format("table %s does not exist", table.c_str()));
  if (!pg::can_be_loaded(relation))
    throw pg::Failure(ERRCODE_WRONG_OBJECT_TYPE, pg::format("%s is not a table that can be loaded", table.c_str()));
  if (must_be_owned && pg::table_owner(relation) != GetUserId())
    throw pg::Failure(
        ERRCODE_INSUFFICIENT_PRIVILEGE,
        pg::format("table %s belongs to another role than the job that was discovered from it", table.c_str()), "",
        "Discover it again with CALL setup.seed_load_jobs();");
  require_no_code_of_ordinary_roles(relation);
  return relation;
}

void take_rows(Oid relation) {
  pg::lock_for_writing(relation);
  if (!pg::role_is_superuser(GetUserId())) return;
  for (const Oid member : pg::hold_members(relation)) pg::lock_for_writing(member);
  require_no_code_of_ordinary_roles(relation);
}

void delete_rows(Oid relation, const std::string& table) {
  take_rows(relation);
  require_plain_delete(relation, table);
  run_in_block((pg::is_partitioned(relation) ? "DELETE FROM " : "DELETE FROM ONLY ") + table);
}

}  // namespace etl
