// A definition as a picture, in the languages of Mermaid and Graphviz.
#pragma once

#include <map>

#include "states/json.h"

namespace etl::states {

// How far an execution came with a state.
enum class StateStatus { kRunning, kSucceeded, kFailed, kCaught };

using StateStatuses = std::map<std::string, StateStatus>;  // by names of states, which are unique in a machine

// Branches of a Parallel and the processor of a Map are boxes within their state. The definition may be anything: what
// is no state is left out.
std::string mermaid(const Json& definition, const StateStatuses& statuses);
std::string dot(const Json& definition, const StateStatuses& statuses);

}  // namespace etl::states
