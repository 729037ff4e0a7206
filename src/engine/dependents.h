// Jobs and crawlers that name a location or a layer, and so keep it from being dropped.
#pragma once

#include "pg/error.h"

namespace etl {

// Failure (dependent_objects_still_exist) that lists them, whoever's they are: who may drop what they name may know.
// `kind`: "location" or "layer", as the column is called that has the name. Needs an open Spi and the engine's rights.
void require_unused(const char* kind, const std::string& name);

}  // namespace etl
