// Topics that somebody listens to: setup.notifications.

#include "engine/task_actions.h"
// nlohmann-json first: the server's macros do not suit it.
#include "engine/notifications.h"

namespace etl {

namespace {

using states::StateError;

// The service's own.
constexpr size_t kLongestTopic = 256;
constexpr size_t kLongestSubject = 100;

[[noreturn]] void fail_parameter(const std::string& why) {
  throw StateError("SNS.InvalidParameterException", "Invalid parameter: " + why);
}

std::string topic_of(const TaskCall& call) {
  std::string arn = call.optional_text("TopicArn");
  if (arn.empty()) arn = call.optional_text("TargetArn");
  const std::string topic = last_part(arn);
  if (topic.empty()) fail_parameter("TopicArn or TargetArn Reason: no value for required parameter");
  if (topic.size() > kLongestTopic) fail_parameter("TopicArn Reason: it is longer than 256 characters");
  return topic;
}

std::string subject_of(const TaskCall& call) {
  const std::string subject = call.optional_text("Subject");
  if (subject.size() > kLongestSubject) fail_parameter("Subject Reason: it is longer than 100 characters");
  if (subject.find_first_of("\r\n") != std::string::npos) fail_parameter("Subject Reason: it has several lines");
  return subject;
}

// A text is taken as it is, anything else as JSON.
std::string message_of(const TaskCall& call) {
  const Json& message = call.required("Message");
  const std::string text = message.is_string() ? call.required_text("Message") : states::compact(message);
  if (text.empty()) fail_parameter("Empty message");
  return text;
}

TaskResult publish(const TaskCall& call) {
  const notifications::Message message{topic_of(call), subject_of(call), message_of(call),
                                       states::compact(call.optional_object("MessageAttributes"))};
  int64_t id = 0;
  const Oid role = GetUserId();
  in_engine(call.block, [&] {
    id = notifications::publish(message, call.owner.run.id, call.owner.machine, call.owner.state, role);
  });
  return {{{"MessageId", std::to_string(id)}}, false, 0, std::nullopt};
}

}  // namespace

const TaskActions& notification_actions() {
  static const TaskActions actions = {
      {"sns:publish", {publish}},
      {"aws-sdk:sns:publish", {publish}},
  };
  return actions;
}

}  // namespace etl
