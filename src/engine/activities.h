// Activities: tasks that programs outside fetch and end by their tokens. Their tables: sql/activities.sql.
#pragma once

#include <optional>
#include <string>

#include "pg/error.h"

namespace etl::activities {

// One of the current user, if there is none of that name; returns the resource that tasks name. Failure
// (insufficient_privilege) where it is somebody else's.
std::string create(const std::string& name);

// With the tasks that nobody has fetched. Failure (undefined_object) where there is none that is the current user's.
void remove(const std::string& name);

// Puts a task where it can be fetched. False where there is no such activity that the role may use. Needs an open Spi
// and the engine's rights.
bool schedule(const std::string& name, const std::string& token, const std::string& input, Oid role);

// Takes the task that has waited longest, unless the transaction is rolled back. Failure (undefined_object) for an
// activity that the current user may not see.
struct FetchedTask {
  std::string token;
  std::string input;  // JSON
};
std::optional<FetchedTask> fetch(const std::string& name);

}  // namespace etl::activities
