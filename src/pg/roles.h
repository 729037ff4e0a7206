// What a role is and may do.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// The role's name; empty if there is no such role any more.
std::string role_name(Oid role);

bool role_exists(Oid role);
bool role_can_log_in(Oid role);
bool role_is_superuser(Oid role);

// True if `role` has the rights of `owner`: it is the owner, a member of it, or a superuser.
bool is_member(Oid role, Oid owner);

// True if `role` may become `owner`, and so may do everything in its name; superusers may become anybody.
bool may_act_as(Oid role, Oid owner);

// Failure (insufficient_privilege): who asks may not act as `owner`, to whom `object` belongs ('job "a.b"').
[[noreturn]] void fail_not_owner(const std::string& object, const std::string& owner);

bool may_create_schemas(Oid role);  // in this database
bool may_create_in_schema(Oid role, Oid schema);
bool may_connect(Oid role);             // to this database
bool may_read_server_files(Oid role);   // superuser or pg_read_server_files
bool may_write_server_files(Oid role);  // superuser or pg_write_server_files
bool may_use_schema(Oid role, Oid schema);

// Failure (insufficient_privilege) with this message, and with the GRANT that helps, unless the role has the right.
void require_reading_server_files(Oid role, const std::string& message);
void require_writing_server_files(Oid role, const std::string& message);

// INSERT and DELETE, or as owner INSERT and TRUNCATE.
bool may_replace_rows(Oid role, Oid table);
bool may_insert_rows(Oid role, Oid table);
bool may_upsert_rows(Oid role, Oid table);  // INSERT, UPDATE, and SELECT to compare keys

}  // namespace etl::pg
