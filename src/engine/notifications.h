// What somebody should hear of: a durable row in setup.notifications, and a NOTIFY on channel etl_orchestrator when it
// is committed. Listeners of the channel are told the topic and the row's number; who may read the row learns the rest.
#pragma once

#include "engine/run_store.h"

namespace etl::notifications {

// About a step of a run, for those who see its job. Needs an open pg::Spi and the engine's rights.
void publish(const std::string& topic, const std::string& subject, const std::string& message, const RunKey& run,
             StepId step);

struct Message {
  std::string topic;
  std::string subject;
  std::string text;
  std::string attributes;  // a JSON object
};
// From a state of an execution, for a role and its members; returns the number of the row. Needs the same.
int64_t publish(const Message& message, RunId run, const std::string& machine, const std::string& state, Oid owner);

}  // namespace etl::notifications
