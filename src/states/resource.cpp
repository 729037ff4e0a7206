#include "states/fence.h"

#include "states/resource.h"

namespace etl::states {
namespace {

constexpr std::string_view kTokenSuffix = ".waitForTaskToken";

Json seconds(double value) {
  return static_cast<int64_t>(value);
}

// Cuts off what stands before the next colon.
std::string_view take_part(std::string_view* text) {
  const size_t colon = text->find(':');
  const std::string_view part = text->substr(0, colon);
  text->remove_prefix(colon == std::string_view::npos ? text->size() : colon + 1);
  return part;
}

}  // namespace

// arn:PARTITION:SERVICE:REGION:ACCOUNT:rest
Resource Resource::parse(const std::string& text) {
  Resource resource;
  resource.action = text;
  resource.needs_token = text.ends_with(kTokenSuffix);
  std::string_view rest = text;
  if (take_part(&rest) != "arn") return resource;
  take_part(&rest);
  const std::string_view owner = take_part(&rest);
  const std::string_view region = take_part(&rest);
  take_part(&rest);
  if (owner == "lambda") {
    resource.kind = Kind::kFunction;
  } else if (owner == "states" && rest.starts_with("activity:")) {
    resource.kind = Kind::kActivity;
    resource.needs_token = true;
  } else if (owner == "states" && region.empty()) {
    // startExecution.sync:2 is one action.
    const size_t version = rest.ends_with(".sync:2") ? rest.size() - 2 : rest.size();
    const size_t colon = rest.substr(0, version).rfind(':');
    if (colon != std::string_view::npos) resource.service = rest.substr(0, colon);
    resource.action = rest.substr(colon + 1);  // all of it where there is no colon
  }
  return resource;
}

std::string Resource::event(const std::string& what) const {
  switch (kind) {
    case Kind::kFunction:
      return "LambdaFunction" + what;
    case Kind::kActivity:
      return "Activity" + what;
    case Kind::kService:
      break;
  }
  return "Task" + what;
}

Json Resource::scheduled_details(const RunTask& task) const {
  Json details = {{"resource", action}};
  details[kind == Kind::kService ? "parameters" : "input"] = task.parameters;
  if (kind == Kind::kService) details["resourceType"] = service;
  if (task.timeout_seconds) details["timeoutInSeconds"] = seconds(*task.timeout_seconds);
  if (task.heartbeat_seconds) details["heartbeatInSeconds"] = seconds(*task.heartbeat_seconds);
  return details;
}

}  // namespace etl::states
