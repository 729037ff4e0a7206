// Tables on their way out. Module::export_table().
#pragma once

#include "files/module.h"

namespace etl::files {

void export_rows(const ExportRequest& request, ExportTarget* target);

}  // namespace etl::files
