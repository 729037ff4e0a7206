// Queries, by the names and in the shapes of the service that runs queries elsewhere. One runs inside the task that
// starts it, as the machine's owner: it has ended when the task has. What it returned is kept: sql/task_queries.sql.

#include "engine/task_actions.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/executor.h"
#include "pg/guard.h"
#include "pg/relations.h"

extern "C" {
#include "utils/builtins.h"
}

namespace etl {

namespace {

using states::StateError;

constexpr uint64 kMostRows = 100'000;            // of a result that is kept
constexpr size_t kMostBytes = 32 * 1024 * 1024;  // of its values
constexpr int64_t kMostShownRows = 1000;         // of one answer, as the service has it

struct Result {
  Json columns = Json::array();
  Json rows = Json::array();
  int64_t written = 0;
};

[[noreturn]] void fail_request(const std::string& why) {
  throw StateError("Athena.InvalidRequestException", why);
}

const char* type_name(Oid type) {
  switch (type) {
    case BOOLOID:
      return "boolean";
    case INT2OID:
      return "smallint";
    case INT4OID:
      return "integer";
    case INT8OID:
      return "bigint";
    case FLOAT4OID:
      return "float";
    case FLOAT8OID:
      return "double";
    case NUMERICOID:
      return "decimal";
    case DATEOID:
      return "date";
    case TIMESTAMPOID:
      return "timestamp";
    case TIMESTAMPTZOID:
      return "timestamp with time zone";
    default:
      return "varchar";
  }
}

void describe_columns(TupleDesc row, Result* result) {
  Json header = Json::array();
  for (int i = 0; i < row->natts; ++i) {
    const FormData_pg_attribute* column = TupleDescAttr(row, i);
    const std::string name = NameStr(column->attname);
    header.push_back(name);
    result->columns.push_back({{"CatalogName", "hive"},
                               {"SchemaName", ""},
                               {"TableName", ""},
                               {"Name", name},
                               {"Label", name},
                               {"Type", type_name(column->atttypid)},
                               {"Precision", 0},
                               {"Scale", 0},
                               {"Nullable", "UNKNOWN"},
                               {"CaseSensitive", column->atttypid == TEXTOID || column->atttypid == VARCHAROID}});
  }
  result->rows.push_back(std::move(header));
}

// Rows of SPI's last call. Their number, and how many bytes they take here, has a bound.
void add_rows(uint64 count, size_t* bytes, Result* result) {
  constexpr size_t kBytesOfValue = 32;  // without its text
  const pg::Rows rows(SPI_tuptable, count);
  const int columns = SPI_tuptable->tupdesc->natts;
  for (int i = 0; i < rows.size(); ++i) {
    Json values = Json::array();
    for (int column = 0; column < columns; ++column) {
      values.push_back(rows.null(i, column) ? Json() : Json(rows.text(i, column)));
      *bytes += kBytesOfValue;
      if (values.back().is_string()) *bytes += values.back().get_ref<const std::string&>().size();
    }
    if (*bytes > kMostBytes) fail_request("the result has more than " + std::to_string(kMostBytes) + " bytes");
    result->rows.push_back(std::move(values));
  }
  if (result->rows.size() > kMostRows + 1)
    fail_request("the result has more than " + std::to_string(kMostRows) + " rows");
}

// A few rows at a time: of large ones, not many are in memory.
Result fetch(SPIPlanPtr plan) {
  constexpr size_t kBytesAtOnce = 1024 * 1024;
  constexpr size_t kMostAtOnce = 500;
  Result result;
  const Portal portal = pg::guard([&] { return SPI_cursor_open(nullptr, plan, nullptr, nullptr, false); });
  describe_columns(portal->tupDesc, &result);
  size_t bytes = 0, at_once = 1;
  while (true) {
    pg::guard([&] { SPI_cursor_fetch(portal, true, static_cast<long>(at_once)); });
    if (SPI_processed == 0) break;
    add_rows(SPI_processed, &bytes, &result);
    pg::guard([] { SPI_freetuptable(SPI_tuptable); });
    at_once = std::clamp<size_t>(kBytesAtOnce * result.rows.size() / (bytes + 1), 1, kMostAtOnce);
  }
  pg::guard([&] { SPI_cursor_close(portal); });
  return result;
}

Result run_statement(const std::string& query) {
  const SPIPlanPtr plan = pg::guard([&] {
    const SPIPlanPtr prepared = SPI_prepare(query.c_str(), 0, nullptr);
    if (prepared == nullptr) elog(ERROR, "could not run the query: %s", SPI_result_code_string(SPI_result));
    return prepared;
  });
  if (list_length(SPI_plan_get_plan_sources(plan)) != 1) fail_request("QueryString must be one statement");
  if (pg::guard([&] { return SPI_is_cursor_plan(plan); })) return fetch(plan);
  Result result;
  pg::guard([&] {
    const int done = SPI_execute_plan(plan, nullptr, nullptr, false, 0);
    if (done < 0) elog(ERROR, "could not run the query: %s", SPI_result_code_string(done));
  });
  result.written = static_cast<int64_t>(SPI_processed);
  return result;
}

// Names without a schema are looked for in this one first, as long as the task runs.
void prefer_schema(const std::string& schema) {
  const std::string name = pg::quote_name(schema);
  pg::guard([&] {
    const char* path = GetConfigOption("search_path", false, false);
    const char* both = path[0] == '\0' ? name.c_str() : psprintf("%s, %s", name.c_str(), path);
    SetConfigOption("search_path", both, PGC_USERSET, PGC_S_SESSION);
  });
}

Result run_query(const TaskCall& call, const std::string& query, const std::string& schema) {
  Result result;
  call.block.look([&] {
    run_calls_in_block(query, [&] {
      if (!schema.empty()) prefer_schema(schema);
      const pg::Spi spi;
      result = run_statement(query);
      return static_cast<int64_t>(0);
    });
  });
  return result;
}

std::string schema_of(const TaskCall& call) {
  const Json context = call.optional_object("QueryExecutionContext");
  if (!context.contains("Database")) return "";
  const Json& database = context.at("Database");
  if (!database.is_string() || database.get_ref<const std::string&>().find('\0') != std::string::npos)
    call.refuse("The value for the field 'Database' must be a STRING");
  return database;
}

struct Kept {
  std::string id;
  std::string query;
  std::string schema;
  std::string state;
  std::string message;
  TimestampTz submitted_at = 0;
  TimestampTz completed_at = 0;
};

// Text of a database in another encoding than UTF-8.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Kept keep(const TaskCall& call, const std::string& query, TimestampTz submitted_at, const Result& result,
          const std::string& message) {
  static pg::Statement insert{
      "INSERT INTO setup.query_executions (run_id, owner_oid, query, schema_name, state, message, columns, rows, "
      "update_count, submitted_at) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9, $10) "
      "RETURNING query_id, completed_at",
      {INT8OID, OIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID}};
  Kept kept{"", query, schema_of(call), message.empty() ? "SUCCEEDED" : "FAILED", message, submitted_at};
  const std::string columns = text_of(result.columns), rows = text_of(result.rows);
  const Oid owner = GetUserId();
  in_engine(call.block, [&] {
    const pg::Rows row =
        insert.run({pg::value(call.owner.run.id), pg::value(owner), pg::value(query), pg::text_or_null(kept.schema),
                    pg::value(kept.state), pg::text_or_null(message), pg::value(columns), pg::value(rows),
                    pg::value(result.written), pg::timestamp_value(submitted_at)});
    kept.id = row.text(0, 0);
    kept.completed_at = row.timestamp(0, 1);
  });
  return kept;
}

// Runs a query, of which nothing is left if it fails.
Kept start(const TaskCall& call) {
  const std::string query = call.required_text("QueryString");
  if (call.parameters().contains("ExecutionParameters"))
    fail_request("ExecutionParameters are not known here: make QueryString with States.Format");
  const std::string schema = schema_of(call);
  const TimestampTz submitted_at = GetCurrentTimestamp();
  Result result;
  std::string problem;
  {
    pg::Subtransaction apart;
    try {
      result = run_query(call, query, schema);
      apart.release();
    } catch (const pg::Error& error) {
      // Who cancels it, or a time limit, means the task.
      if (error.sqlstate() == ERRCODE_QUERY_CANCELED || error.sqlstate() == ERRCODE_ADMIN_SHUTDOWN) throw;
      problem = error.what();
    } catch (const pg::Failure& failure) {
      problem = failure.what();
    }
  }
  return keep(call, query, submitted_at, result, problem);
}

Json shown(const TaskCall& call, const Kept& kept) {
  const int64_t milliseconds = std::max<int64_t>(0, (kept.completed_at - kept.submitted_at) / 1000);
  Json status = {{"State", kept.state},
                 {"SubmissionDateTime", shown_time(call, kept.submitted_at)},
                 {"CompletionDateTime", shown_time(call, kept.completed_at)}};
  if (!kept.message.empty()) {
    status["StateChangeReason"] = kept.message;
    status["AthenaError"] = {{"ErrorCategory", 2}, {"ErrorMessage", kept.message}, {"Retryable", false}};
  }
  Json json = {{"QueryExecutionId", kept.id},
               {"Query", kept.query},
               {"QueryExecutionContext", Json::object()},
               {"Status", std::move(status)},
               {"Statistics",
                {{"EngineExecutionTimeInMillis", milliseconds},
                 {"TotalExecutionTimeInMillis", milliseconds},
                 {"DataScannedInBytes", 0}}},
               {"WorkGroup", "primary"}};
  if (!kept.schema.empty()) json["QueryExecutionContext"]["Database"] = kept.schema;
  return {{"QueryExecution", std::move(json)}};
}

TaskResult start_only(const TaskCall& call) {
  return {{{"QueryExecutionId", start(call).id}}, false, 0, std::nullopt};
}

TaskResult start_and_wait(const TaskCall& call) {
  const Kept kept = start(call);
  TaskResult result{shown(call, kept), false, 0, std::nullopt};
  if (kept.state != "SUCCEEDED") result.failure = {states::errors::kTaskFailed, text_of(result.output)};
  return result;
}

[[noreturn]] void fail_unknown(const std::string& id) {
  fail_request("QueryExecution " + id + " was not found");
}

// Of the form that an id has.
std::string query_id_of(const TaskCall& call) {
  const std::string id = call.required_text("QueryExecutionId");
  if (id.size() != 36) fail_unknown(id);
  for (size_t i = 0; i < id.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? id[i] != '-' : std::isxdigit(static_cast<unsigned char>(id[i])) == 0) fail_unknown(id);
  }
  return id;
}

TaskResult get_execution(const TaskCall& call) {
  static pg::Statement read{
      "SELECT query_id, query, schema_name, state, message, submitted_at, completed_at FROM setup.query_executions "
      "WHERE query_id = $1::uuid AND pg_has_role($2, owner_oid, 'MEMBER')",
      {TEXTOID, OIDOID}};
  const std::string id = query_id_of(call);
  const Oid role = GetUserId();
  std::optional<Kept> kept;
  in_engine(call.block, [&] {
    const pg::Rows row = read.run({pg::value(id), pg::value(role)});
    if (row.size() > 0)
      kept = Kept{row.text(0, 0), row.text(0, 1),      row.text(0, 2),     row.text(0, 3),
                  row.text(0, 4), row.timestamp(0, 5), row.timestamp(0, 6)};
  });
  if (!kept) fail_unknown(id);
  return {shown(call, *kept), false, 0, std::nullopt};
}

// Where the next page begins, as NextToken has it.
int64_t first_row(const TaskCall& call) {
  const std::string token = call.optional_text("NextToken");
  if (token.empty()) return 0;
  if (token.size() > 9 || token.find_first_not_of("0123456789") != std::string::npos)
    fail_request("NextToken \"" + token + "\" is none that was given");
  return std::stoll(token);
}

Json shown_row(const Json& values) {
  Json data = Json::array();
  for (const Json& value : values)
    data.push_back(value.is_null() ? Json::object() : Json::object({{"VarCharValue", value}}));
  return {{"Data", std::move(data)}};
}

TaskResult get_results(const TaskCall& call) {
  static pg::Statement read{
      "SELECT state, columns, update_count, jsonb_array_length(rows), (SELECT coalesce(jsonb_agg(r.value ORDER BY "
      "r.place), '[]') FROM jsonb_array_elements(q.rows) WITH ORDINALITY r(value, place) "
      "WHERE r.place > $3 AND r.place <= $3 + $4) FROM setup.query_executions q "
      "WHERE query_id = $1::uuid AND pg_has_role($2, owner_oid, 'MEMBER')",
      {TEXTOID, OIDOID, INT8OID, INT8OID}};
  const std::string id = query_id_of(call);
  const int64_t first = first_row(call);
  const int64_t most = call.optional_integer("MaxResults", 1, kMostShownRows).value_or(kMostShownRows);
  const Oid role = GetUserId();
  bool is_there = false;
  std::string state, columns, rows;
  int64_t written = 0, total = 0;
  in_engine(call.block, [&] {
    const pg::Rows row = read.run({pg::value(id), pg::value(role), pg::value(first), pg::value(most)});
    is_there = row.size() > 0;
    if (!is_there) return;
    state = row.text(0, 0);
    columns = row.text(0, 1);
    written = row.int8(0, 2);
    total = row.int4(0, 3);
    rows = row.text(0, 4);
  });
  if (!is_there) fail_unknown(id);
  if (state != "SUCCEEDED") fail_request("Query did not finish successfully. Final query state: " + state);
  Json shown_rows = Json::array();
  for (const Json& values : parse_output(rows)) shown_rows.push_back(shown_row(values));
  Json output = {
      {"ResultSet", {{"Rows", std::move(shown_rows)}, {"ResultSetMetadata", {{"ColumnInfo", parse_output(columns)}}}}},
      {"UpdateCount", written}};
  if (first + most < total) output["NextToken"] = std::to_string(first + most);
  return {std::move(output), false, 0, std::nullopt};
}

// It has ended with the task that started it.
TaskResult stop(const TaskCall& call) {
  get_execution(call);
  return {Json::object(), false, 0, std::nullopt};
}

}  // namespace

const TaskActions& query_actions() {
  static const TaskActions actions = {
      {"athena:startQueryExecution", {start_only}},
      {"athena:startQueryExecution.sync", {start_and_wait}},
      {"athena:getQueryExecution", {get_execution}},
      {"athena:getQueryResults", {get_results}},
      {"athena:stopQueryExecution", {stop}},
      {"aws-sdk:athena:startQueryExecution", {start_only}},
      {"aws-sdk:athena:getQueryExecution", {get_execution}},
      {"aws-sdk:athena:getQueryResults", {get_results}},
      {"aws-sdk:athena:stopQueryExecution", {stop}},
  };
  return actions;
}

}  // namespace etl
