// Every text in which a blueprint speaks to the user, so that they can be read, compared and translated
// in one place.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "plan/blueprint.h"

namespace etl::plan::problem {

// In the selection.
Problem unknown_layer(std::string_view layer);
// `elsewhere` has that name in a layer that the run does not cover; -1 where there is none.
Problem unknown_job(const Catalog& catalog, std::string_view text, int elsewhere);
Problem job_in_several_layers(const Catalog& catalog, const std::vector<int>& jobs);
Problem job_outside_layer(const Catalog& catalog, int job, int layer);
Problem job_is_disabled(const Catalog& catalog, int job);
Problem job_not_permitted(const Catalog& catalog, int job);

// In the dependencies of `job`.
// `intended` is a job of an earlier layer that has the entire text as its name; -1 where there is none.
Problem unknown_dependency(const Catalog& catalog, int job, std::string_view text, int intended);
Problem depends_on_itself(const Catalog& catalog, int job);
Problem depends_on_later_layer(const Catalog& catalog, int job, int dependency);
Problem depends_on_disabled(const Catalog& catalog, int job, int dependency);
Problem depends_on_not_permitted(const Catalog& catalog, int job, int dependency);

// Each job of `cycle` depends on the next, the last on the first.
Problem cycle(const Catalog& catalog, const std::vector<int>& cycle);

}  // namespace etl::plan::problem
