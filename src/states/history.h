// What happened in an execution, event by event, as the service tells it.
#pragma once

#include <vector>

#include "states/json.h"

namespace etl::states {

using EventId = int64_t;  // 1 for the first; 0: none

struct HistoryEvent {
  EventId id = 0;
  EventId previous = 0;
  std::string type;   // ExecutionStarted, PassStateEntered, TaskScheduled, ...
  std::string state;  // name, where the event is of a state; else empty
  Json details;       // an object: input, output, error, cause, index, length, assignedVariables, resource, ...
};

// Where events go.
class History {
 public:
  virtual ~History() = default;
  // Gives the event its id, which it returns.
  virtual EventId add(HistoryEvent event) = 0;
  // True where what it has should be kept before there is more: then a branch pauses before its next state.
  virtual bool wants_pause() const { return false; }
};

}  // namespace etl::states
