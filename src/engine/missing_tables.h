// Tables that a layer's jobs load and that are not there, though a crawler would make them.
#pragma once

#include "engine/request.h"

namespace etl {

// Runs the current user's crawlers of the run's layers that have made jobs for tables that are missing; the checks of
// the run come after it. As if the user had called setup.crawl(): in this transaction and session. A crawler of
// somebody else's is not run, and one that fails gives a warning: the checks say what is missing then.
void crawl_for_missing_tables(const RunRequest& request);

}  // namespace etl
