#include "engine/branch_events.h"
// nlohmann-json first: the server's macros do not suit it.
#include "pg/wait.h"

namespace etl {

using states::Json;

namespace {

// The history is shown as jsonb, which has no \u0000: U+FFFD stands for it.
std::string storable(std::string json) {
  if (json.find("\\u0000") == std::string::npos) return json;
  for (size_t i = 0; i + 1 < json.size(); ++i) {
    if (json[i] != '\\') continue;
    if (json.compare(i, 6, "\\u0000") == 0) json.replace(i, 6, "\\ufffd");
    ++i;
  }
  return json;
}

}  // namespace

states::EventId BranchEvents::add(states::HistoryEvent event) {
  pg::check_interrupts();
  if (event.id == 0) event.id = ++last_;
  if (!text_.empty()) text_ += ',';
  text_ += R"({"id":)" + std::to_string(event.id) + R"(,"previous":)" + std::to_string(event.previous) +
           R"(,"type":")" + event.type + R"(","state":)" + Json(std::move(event.state)).dump() + R"(,"details":)" +
           storable(event.details.dump()) + "}";
  return event.id;
}

Json to_json(const states::Failure& failure) {
  Json json = Json::object();
  if (failure.error) json["error"] = *failure.error;
  if (failure.cause) json["cause"] = *failure.cause;
  return json;
}

states::Failure failure_from(const Json& json) {
  states::Failure failure;
  if (json.contains("error")) failure.error = json["error"].get<std::string>();
  if (json.contains("cause")) failure.cause = json["cause"].get<std::string>();
  return failure;
}

std::string child_result(const Json& output, states::EventId last_event) {
  return Json{{"output", output}, {"last_event", last_event}}.dump();
}

std::string child_result(const states::Failure& failure, states::EventId last_event) {
  return Json{{"output", states::tolerated_output(failure)}, {"last_event", last_event}, {"failure", to_json(failure)}}
      .dump();
}

ChildEnd child_end(const std::string& result) {
  const Json json = Json::parse(result);
  ChildEnd end;
  end.last_event = json.at("last_event").get<states::EventId>();
  if (json.contains("failure")) end.failure = failure_from(json["failure"]);
  return end;
}

states::ChildrenEnded children_ended(const std::vector<std::string>& results) {
  states::ChildrenEnded ended;
  for (const std::string& text : results) {
    Json result = Json::parse(text);
    ended.last_event = std::max(ended.last_event, result.at("last_event").get<states::EventId>());
    ended.outputs.push_back(std::move(result["output"]));
  }
  return ended;
}

std::string children_failed_event(const states::Failure& failure, states::EventId last_event) {
  Json event = to_json(failure);
  event["type"] = "ChildrenFailed";
  event["last_event"] = last_event;
  return event.dump();
}

std::string task_succeeded_event(const Json& output) {
  return Json{{"type", "TaskSucceeded"}, {"output", output}}.dump();
}

std::string task_failed_event(const states::Failure& failure) {
  Json event = to_json(failure);
  event["type"] = "TaskFailed";
  return event.dump();
}

}  // namespace etl
