#include "pg/roles.h"

#include "pg/guard.h"
#include "pg/relations.h"

extern "C" {
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace etl::pg {

namespace {

struct RoleFacts {
  bool exists;
  bool can_log_in;
};

RoleFacts facts(Oid role) {
  return guard([&] {
    RoleFacts found{false, false};
    HeapTuple tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
    if (!HeapTupleIsValid(tuple)) return found;
    found = {true, reinterpret_cast<Form_pg_authid>(GETSTRUCT(tuple))->rolcanlogin};
    ReleaseSysCache(tuple);
    return found;
  });
}

}  // namespace

std::string role_name(Oid role) {
  const char* name = guard([&] { return GetUserNameFromId(role, true); });
  return name == nullptr ? std::string() : std::string(name);
}

bool role_exists(Oid role) {
  return facts(role).exists;
}

bool role_can_log_in(Oid role) {
  return facts(role).can_log_in;
}

bool role_is_superuser(Oid role) {
  return guard([&] { return superuser_arg(role); });
}

bool is_member(Oid role, Oid owner) {
  return guard([&] { return is_member_of_role(role, owner); });
}

bool may_act_as(Oid role, Oid owner) {
  return guard([&] { return superuser_arg(role) || compat::may_set_role(role, owner); });
}

void fail_not_owner(const std::string& object, const std::string& owner) {
  throw Failure(ERRCODE_INSUFFICIENT_PRIVILEGE, format("%s belongs to role \"%s\"", object.c_str(), owner.c_str()), "",
                "It takes that role itself, a member of it, or a superuser.");
}

bool may_create_schemas(Oid role) {
  return guard([&] { return compat::may_create_schemas(MyDatabaseId, role); });
}

bool may_create_in_schema(Oid role, Oid schema) {
  return guard([&] { return compat::may_create_in_schema(schema, role); });
}

bool may_connect(Oid role) {
  return guard([&] { return compat::may_connect(MyDatabaseId, role); });
}

bool may_read_server_files(Oid role) {
  return guard([&] { return has_privs_of_role(role, ROLE_PG_READ_SERVER_FILES); });
}

bool may_write_server_files(Oid role) {
  return guard([&] { return has_privs_of_role(role, ROLE_PG_WRITE_SERVER_FILES); });
}

namespace {

[[noreturn]] void fail_without_right(Oid role, const std::string& message, const char* verb) {
  throw Failure(ERRCODE_INSUFFICIENT_PRIVILEGE, message, "",
                format("It takes the right to %s the server's files: GRANT pg_%s_server_files TO %s;", verb, verb,
                       quote_name(role_name(role)).c_str()));
}

}  // namespace

void require_reading_server_files(Oid role, const std::string& message) {
  if (!may_read_server_files(role)) fail_without_right(role, message, "read");
}

void require_writing_server_files(Oid role, const std::string& message) {
  if (!may_write_server_files(role)) fail_without_right(role, message, "write");
}

bool may_use_schema(Oid role, Oid schema) {
  return guard([&] { return compat::may_use_schema(schema, role); });
}

bool may_replace_rows(Oid role, Oid table) {
  return guard([&] {
    const AclMode rights = pg_class_aclmask(table, role, ACL_INSERT | ACL_DELETE | ACL_TRUNCATE, ACLMASK_ALL);
    const AclMode empties = ACL_DELETE | (compat::owns_table(table, role) ? ACL_TRUNCATE : 0);
    return (rights & ACL_INSERT) != 0 && (rights & empties) != 0;
  });
}

bool may_insert_rows(Oid role, Oid table) {
  return guard([&] { return pg_class_aclcheck(table, role, ACL_INSERT) == ACLCHECK_OK; });
}

bool may_upsert_rows(Oid role, Oid table) {
  constexpr AclMode kRights = ACL_INSERT | ACL_UPDATE | ACL_SELECT;
  return guard([&] { return pg_class_aclmask(table, role, kRights, ACLMASK_ALL) == kRights; });
}

}  // namespace etl::pg
