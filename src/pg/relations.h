// Tables as the catalogs know them, and names as SQL writes them.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// A table by its schema and name; not necessarily one that exists.
struct TableName {
  std::string schema;
  std::string table;

  std::string quoted() const;  // as SQL writes it: quoted where needed
};

// Reads "table" or "schema.table" with SQL's rules for quotes and case; without a schema it is `schema`.
// Failure (invalid_name) where the text is no such name.
TableName parse_table_name(const std::string& text, const std::string& schema);

std::string quote_name(const std::string& name);
std::string quote_text(const std::string& text);

Oid find_schema(const std::string& name);  // InvalidOid if there is none
Oid find_table(const TableName& name);     // table, view, materialized view; InvalidOid if none
bool can_be_loaded(Oid table);             // an ordinary or partitioned table
bool is_partitioned(Oid table);
bool has_delete_rule(Oid table);  // a rewrite rule, not disabled
Oid table_owner(Oid table);
TableName name_of_table(Oid table);

struct Column {
  std::string name;
  int number;        // from 1, as pg_attribute.attnum
  std::string type;  // as format_type() says it
  bool has_default;  // or is an identity
};

// Columns that a load can fill: not dropped, not generated, in their order.
std::vector<Column> loadable_columns(Oid table);

// The number of rows that the planner assumes; negative: never analyzed.
double planned_rows(Oid table);

// Rows inserted and updated by this session in a table and its partitions, as far as the session has not
// reported them yet; none where track_counts is off. Only differences mean something.
std::optional<int64_t> rows_written_counter(Oid table);

// find_table(), for whoever works with it: nobody can drop, rename or alter it until the end of the transaction, or
// give it to another role.
Oid hold_table(const TableName& name);

// The table and its partitions of all levels. They are held, too.
std::vector<Oid> hold_members(Oid table);

// Whether the table, or a partition of it, has a row that a query would find now, whatever the current user may read.
// True where that cannot be told: a partition may be a foreign table.
bool holds_rows(Oid table);

// Locks a table as statements do that write rows: nobody can give it a trigger until the end of the transaction.
void lock_for_writing(Oid table);

// A trigger on the table, not disabled, whose function belongs to a role that is no superuser; empty if there is none.
std::string trigger_of_ordinary_role(Oid table);

}  // namespace etl::pg
