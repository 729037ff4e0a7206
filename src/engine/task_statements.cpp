// Own resources, for definitions that are written here: SQL of the machine's owner.
//
//   arn:aws:states:::sql:query    {"Query": "SELECT ...", "Arguments": {...}} -> {"Rows": [{...}], "RowCount": n}
//   arn:aws:states:::sql:execute  {"Command": "INSERT ...; UPDATE ..."} -> {"RowsAffected": n}
//   arn:aws:states:::sql:call     {"Procedure": "schema.name", "Arguments": {...} or [...]} -> {out parameters}
//
// All run in the transaction of the task: it commits with the execution's next position, or not at all.

#include "engine/task_actions.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/executor.h"
#include "pg/guard.h"
#include "pg/relations.h"

namespace etl {

namespace {

// More rows than this are longer than a payload may be, however small each is: they are not gathered.
constexpr size_t kMostRows = states::kLargestPayload / 2;

// $1 in the query is field Arguments, a jsonb.
TaskResult query(const TaskCall& call) {
  const std::string sql =
      "SELECT pg_catalog.jsonb_build_object('Rows', coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(q)), '[]'), "
      "'RowCount', pg_catalog.count(*)) FROM (SELECT * FROM (" +
      call.required_text("Query") + "\n) q WHERE $1 IS NOT NULL OR $1 IS NULL LIMIT " + std::to_string(kMostRows) +
      ") q";
  SqlResult result = call_sql(call.block, sql, call.optional_object("Arguments"));
  const int64_t rows = result.output.at("RowCount").get<int64_t>();
  return {std::move(result.output), false, 0, rows};
}

TaskResult execute(const TaskCall& call) {
  const int64_t rows = run_in_block(call.required_text("Command"));
  return {{{"RowsAffected", rows}}, false, 0, rows};
}

std::string literal_of(const TaskCall& call, const Json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_boolean() || value.is_number()) return value.dump();
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find('\0') != std::string::npos) call.refuse("The value for the field 'Arguments' has a null character");
  return pg::quote_text(text);
}

std::string arguments_of(const TaskCall& call) {
  if (!call.parameters().contains("Arguments")) return "";
  const Json& arguments = call.required("Arguments");
  if (!arguments.is_object() && !arguments.is_array())
    call.refuse("The value for the field 'Arguments' must be a MAP or a LIST");
  std::string list;
  for (const auto& [name, value] : arguments.items()) {
    if (!list.empty()) list += ", ";
    if (arguments.is_object()) list += pg::quote_name(name) + " => ";
    list += literal_of(call, value);
  }
  return list;
}

// An output parameter as JSON of its own kind where JSON has it, else as text.
Json output_parameter(const pg::Rows& rows, int column, Oid type) {
  if (rows.null(0, column)) return nullptr;
  switch (type) {
    case BOOLOID:
      return rows.boolean(0, column);
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case FLOAT4OID:
    case FLOAT8OID:
    case NUMERICOID:
    case JSONOID:
    case JSONBOID:
      if (auto json = states::parse_json(rows.text(0, column))) return *std::move(json);
      break;
    default:
      break;
  }
  return rows.text(0, column);
}

Json output_parameters() {
  Json output = Json::object();
  if (SPI_tuptable == nullptr || SPI_processed == 0) return output;
  const pg::Rows rows(SPI_tuptable, SPI_processed);
  const TupleDesc row = SPI_tuptable->tupdesc;
  for (int i = 0; i < row->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(row, i);
    output[NameStr(column->attname)] = output_parameter(rows, i, column->atttypid);
  }
  return output;
}

TaskResult call_procedure(const TaskCall& call) {
  const std::string given = call.required_text("Procedure");
  // A name without schema is found by the search_path, as anywhere else.
  const pg::TableName name = pg::parse_table_name(given, "");
  const std::string procedure = name.schema.empty() ? pg::quote_name(name.table) : name.quoted();
  const std::string sql = "CALL " + procedure + "(" + arguments_of(call) + ")";
  Json output;
  call.block.look([&] {
    run_calls_in_block(sql, [&] {
      const pg::Spi spi;
      pg::guard([&] {
        const int done = SPI_execute(sql.c_str(), false, 0);
        if (done < 0) elog(ERROR, "could not run the task: %s", SPI_result_code_string(done));
      });
      output = output_parameters();
      return static_cast<int64_t>(0);
    });
  });
  return {std::move(output), false, 0, rows_of_last_command()};
}

}  // namespace

const TaskActions& statement_actions() {
  static const TaskActions actions = {
      {"sql:query", {query}},
      {"sql:execute", {execute}},
      {"sql:call", {call_procedure}},
  };
  return actions;
}

}  // namespace etl
