// What keeps a job from loading files of a location, looked at before its run starts.
#pragma once

#include "engine/configuration.h"

namespace etl {

// The file or pattern of a job with a location, if its owner may use the location and a file that is named is there;
// Failure otherwise. Rights are checked before a file is looked at.
std::string resolve_in_location(const JobDetail& detail);

// What the owner may not do with a table that is there, or what the table lacks; `table` as SQL writes it.
std::vector<plan::Problem> target_problems(const JobDetail& detail, Oid relation, const std::string& table);

}  // namespace etl
