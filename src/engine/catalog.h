// Jobs and layers as users write them, where plain SQL with the user's rights cannot do it.
#pragma once

#include "engine/shared_state.h"

namespace etl {

// Why the current user cannot give a job to a role, in words that go on "role "x" ..."; none if it can.
std::optional<std::string> ownership_problem(Oid owner);

// Failure: undefined_object where there is no such job, insufficient_privilege where it is somebody else's.
void drop_job(const std::string& layer, const std::string& job);

// Write and remove the row of a layer. Failure (insufficient_privilege) without CREATE on the database and on the
// layer's schema, if there is one.
void write_layer(const std::string& layer, int position, const std::string& execution);
void remove_layer(const std::string& layer);

// Makes a view go when the extension is dropped, without becoming a member of it.
void attach_view(Oid view);

// In a job: a parameter of its run; none if there is no such parameter, or outside a job.
std::optional<std::string> run_param(const std::string& name);

}  // namespace etl
