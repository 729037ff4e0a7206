#include "engine/task_call.h"

#include "engine/active_execution.h"
#include "engine/executor.h"
#include "pg/guard.h"

extern "C" {
#include "utils/jsonb.h"
}

namespace etl {

namespace {

constexpr size_t kMostPlans = 64;

// For this call. Inside guard().
SPIPlanPtr plan_of(const std::string& sql) {
  Oid types[] = {JSONBOID};
  SPIPlanPtr plan = SPI_prepare(sql.c_str(), 1, types);
  if (plan == nullptr) elog(ERROR, "could not plan the task: %s", SPI_result_code_string(SPI_result));
  return plan;
}

// Planned at the first call, and kept for those that follow.
SPIPlanPtr kept_plan_of(const std::string& sql) {
  static std::map<std::string, SPIPlanPtr> kept;
  const auto found = kept.find(sql);
  if (found != kept.end()) return found->second;
  SPIPlanPtr plan = plan_of(sql);
  if (kept.size() >= kMostPlans) return plan;
  if (SPI_keepplan(plan) != 0) elog(ERROR, "could not keep the plan of the task");
  kept[sql] = plan;
  return plan;
}

std::string quoted(const char* field) {
  return std::string("'") + field + "'";
}

}  // namespace

void TaskCall::refuse(const std::string& why) const {
  throw states::StateError(states::errors::kRuntime, "The Parameters '" + states::shown(parameters()) +
                                                         "' could not be used to start the Task: [" + why + "]");
}

const Json& TaskCall::required(const char* field) const {
  if (!parameters().is_object() || !parameters().contains(field))
    refuse("The field " + quoted(field) + " is required but was missing");
  return parameters().at(field);
}

std::string TaskCall::required_text(const char* field) const {
  const Json& value = required(field);
  if (!value.is_string()) refuse("The value for the field " + quoted(field) + " must be a STRING");
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('\0') != std::string::npos)
    refuse("The value for the field " + quoted(field) + " has a null character");
  return text;
}

std::string TaskCall::optional_text(const char* field) const {
  return parameters().is_object() && parameters().contains(field) ? required_text(field) : "";
}

std::optional<int64_t> TaskCall::optional_integer(const char* field, int64_t least, int64_t most) const {
  if (!parameters().is_object() || !parameters().contains(field)) return std::nullopt;
  const Json& value = required(field);
  if (!value.is_number_integer()) refuse("The value for the field " + quoted(field) + " must be an INTEGER");
  const bool is_too_large = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (is_too_large || value.get<int64_t>() < least || value.get<int64_t>() > most)
    refuse("The value for the field " + quoted(field) + " must be between " + std::to_string(least) + " and " +
           std::to_string(most));
  return value.get<int64_t>();
}

bool TaskCall::optional_flag(const char* field) const {
  if (!parameters().is_object() || !parameters().contains(field)) return false;
  const Json& value = required(field);
  if (!value.is_boolean()) refuse("The value for the field " + quoted(field) + " must be a BOOLEAN");
  return value.get<bool>();
}

Json TaskCall::optional_object(const char* field) const {
  if (!parameters().is_object() || !parameters().contains(field)) return Json::object();
  const Json& value = required(field);
  if (!value.is_object()) refuse("The value for the field " + quoted(field) + " must be a MAP");
  return value;
}

std::vector<std::string> TaskCall::required_texts(const char* field) const {
  const Json& value = required(field);
  std::vector<std::string> texts;
  if (!value.is_array()) refuse("The value for the field " + quoted(field) + " must be a LIST of STRING");
  for (const Json& each : value) {
    if (!each.is_string() || each.get_ref<const std::string&>().find('\0') != std::string::npos)
      refuse("The value for the field " + quoted(field) + " must be a LIST of STRING");
    texts.push_back(each);
  }
  return texts;
}

namespace {

SqlResult call_planned(pg::Block& block, const std::string& sql, const Json& argument,
                       SPIPlanPtr (*plan)(const std::string&)) {
  SqlResult result;
  const std::string input = argument.dump();
  block.look([&] {
    run_calls_in_block(sql, [&] {
      const pg::Spi spi;
      pg::guard([&] {
        Datum values[] = {DirectFunctionCall1(jsonb_in, CStringGetDatum(input.c_str()))};
        const int done = SPI_execute_plan(plan(sql), values, nullptr, false, 0);
        if (done < 0) elog(ERROR, "could not run the task: %s", SPI_result_code_string(done));
      });
      const pg::Rows rows(SPI_tuptable, SPI_processed);
      if (rows.size() > 0 && !rows.null(0, 0)) result.output = parse_output(rows.text(0, 0));
      return static_cast<int64_t>(0);
    });
    result.rows = rows_of_last_command();
  });
  return result;
}

}  // namespace

SqlResult call_sql(pg::Block& block, const std::string& sql, const Json& argument) {
  return call_planned(block, sql, argument, plan_of);
}

SqlResult call_handler(pg::Block& block, const std::string& function, const Json& argument) {
  return call_planned(block, "SELECT " + function + "($1)", argument, kept_plan_of);
}

Json parse_output(const std::string& text) {
  std::optional<Json> output = states::parse_json(text);
  if (!output)
    throw states::StateError(states::errors::kRuntime, "the result of the task is no JSON that can be worked on");
  return *std::move(output);
}

Json shown_time(const TaskCall& call, TimestampTz at) {
  const states::Time time = time_of(at);
  if (call.resource.service.starts_with("aws-sdk:")) return states::format_timestamp(time);
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::string last_part(const std::string& arn) {
  return arn.substr(arn.rfind(':') + 1);  // npos + 1 is 0
}

}  // namespace etl
