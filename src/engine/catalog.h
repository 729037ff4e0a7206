// Jobs and layers as users write them, where plain SQL with the user's rights cannot do it.
#pragma once

#include "engine/shared_state.h"

namespace etl {

// Why the current user cannot give a job to a role, in words that go on "role "x" ..."; none if it can.
std::optional<std::string> ownership_problem(Oid owner);

// Failure: undefined_object where there is no such job, insufficient_privilege where it is somebody else's.
void require_own_job(const std::string& layer, const std::string& job);

// Writes a row of setup.load_jobs, given as text, in place of the one that is there. Raises what the table's trigger
// and constraints do.
void write_job(const std::string& job);

// Raises what require_own_job() does.
void drop_job(const std::string& layer, const std::string& job);

// Write and remove the row of a layer. `settings` is its row as a JSON object. Failure (insufficient_privilege) without
// CREATE on the database and on the layer's schema, if there is one; the second also undefined_object, and
// dependent_objects_still_exist.
void write_layer(const std::string& layer, const std::string& settings);
void drop_layer(const std::string& layer);

// The same for a resource, whose right is that to create schemas.
void write_resource(const std::string& resource, int capacity);
void remove_resource(const std::string& resource);

// Failure (invalid_parameter_value) for the first text that retry_on and never_retry_on may not list.
void require_retry_patterns(const std::vector<std::string>& patterns);

// Makes a view go when the extension is dropped, without becoming a member of it.
void attach_view(Oid view);

// In a job: a parameter of its run; none if there is no such parameter, or outside a job.
std::optional<std::string> run_param(const std::string& name);

}  // namespace etl
