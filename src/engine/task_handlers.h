// Functions that users register for the resources of tasks: setup.task_handlers.
#pragma once

#include <optional>
#include <string>

#include "pg/error.h"

namespace etl::task_handlers {

// Registers a function of the current user's choice, in place of the one that it had registered before. Failure:
// wrong_object_type where it does not take one jsonb and return one; insufficient_privilege where the current user may
// not call it; invalid_parameter_value for a resource that cannot be.
void add(const std::string& resource, Oid function);

// Failure (undefined_object) where the current user has registered none.
void remove(const std::string& resource);

// The function for a task's resource, as SQL names it: registered by a role, else by a superuser where that role may
// execute it; what says more of the resource goes first. `name` is that of a function, which may be registered by its
// name alone; empty: it is no function. Needs an open Spi and the engine's rights. Failure (undefined_function) where
// the function is not the one that was registered.
std::optional<std::string> find(const std::string& resource, const std::string& name, Oid owner);

}  // namespace etl::task_handlers
