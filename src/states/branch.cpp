#include "states/fence.h"

#include "states/branch.h"

#include <array>

namespace etl::states {
namespace {

constexpr std::array<const char*, 8> kPhases = {"new",    "task",  "waiting", "retrying",
                                                "forked", "ended", "broken",  "between"};

Branch::Phase phase_of(const std::string& name) {
  for (size_t index = 0; index < kPhases.size(); ++index) {
    if (name == kPhases[index]) return static_cast<Branch::Phase>(index);
  }
  throw std::invalid_argument("unknown phase \"" + name + "\" of a branch");
}

int64_t count(Time time) {
  return time.time_since_epoch().count();
}

Time time_of(const Json& json) {
  return Time(Time::duration(json.get<int64_t>()));
}

}  // namespace

// Short, and without what is as in a new branch: thousands of them may be rows.
Json Branch::to_json() const {
  Json json = {{"flow", flow}, {"state", state}, {"phase", kPhases[static_cast<size_t>(phase)]}, {"input", input}};
  const auto put = [&](const char* name, const auto& value, const auto& usual) {
    if (value != usual) json[name] = value;
  };
  put("variables", variables, Json::object());
  if (item) json["item"] = {{"index", item->index}, {"value", item->value}};
  put("iteration_of", iteration_of, "");
  put("is_execution", is_execution, false);
  put("entered", count(entered), 0);
  put("entered_event", entered_event, 0);
  put("last_event", last_event, 0);
  put("visit", visit, 0);
  put("attempt", attempt, 0);
  put("retry_count", retry_count, 0);
  put("retries", retries, std::vector<int64_t>{});
  put("due", count(due), 0);
  put("task_token", task_token, "");
  if (gathering) {
    json["gathering"] = gathering->to_json();
    json["forked"] = forked;
  }
  return json;
}

Branch Branch::from_json(const Json& json, std::shared_ptr<const Json> outer) {
  Branch branch;
  branch.flow = json.at("flow");
  branch.state = json.at("state");
  branch.phase = phase_of(json.at("phase"));
  branch.input = json.at("input");
  branch.outer = std::move(outer);
  branch.variables = json.value("variables", Json::object());
  if (json.contains("item")) branch.item = MapItem{json["item"].at("index"), json["item"].at("value")};
  branch.iteration_of = json.value("iteration_of", "");
  branch.is_execution = json.value("is_execution", false);
  branch.entered = time_of(json.value("entered", Json(0)));
  branch.entered_event = json.value("entered_event", EventId{0});
  branch.last_event = json.value("last_event", EventId{0});
  branch.visit = json.value("visit", int64_t{0});
  branch.attempt = json.value("attempt", int64_t{0});
  branch.retry_count = json.value("retry_count", int64_t{0});
  branch.retries = json.value("retries", std::vector<int64_t>{});
  branch.due = time_of(json.value("due", Json(0)));
  branch.task_token = json.value("task_token", "");
  if (json.contains("gathering")) {
    branch.gathering = GatheringRules::from_json(json["gathering"]);
    branch.forked = json.at("forked");
  }
  return branch;
}

std::shared_ptr<const Json> visible_variables(const Branch& branch) {
  if (branch.variables.empty()) return branch.outer;
  auto visible = std::make_shared<Json>(branch.variables);
  if (branch.outer) visible->insert(branch.outer->begin(), branch.outer->end());  // own ones stay
  return visible;
}

Json RunTask::to_json() const {
  Json json = {{"resource", resource}, {"parameters", parameters}};
  if (!credentials.is_null()) json["credentials"] = credentials;
  if (timeout_seconds) json["timeout_seconds"] = *timeout_seconds;
  if (heartbeat_seconds) json["heartbeat_seconds"] = *heartbeat_seconds;
  return json;
}

RunTask RunTask::from_json(const Json& json) {
  RunTask task;
  task.resource = json.at("resource");
  task.parameters = json.at("parameters");
  task.credentials = json.value("credentials", Json());
  if (json.contains("timeout_seconds")) task.timeout_seconds = json["timeout_seconds"].get<double>();
  if (json.contains("heartbeat_seconds")) task.heartbeat_seconds = json["heartbeat_seconds"].get<double>();
  return task;
}

}  // namespace etl::states
