// The module etl_files, loaded when it is first asked for.
#pragma once

#include "files/module.h"
#include "locations/directory.h"
#include "locations/file_type.h"
#include "pg/error.h"

namespace etl {

// True if the module is installed beside this one.
bool has_files_module();

// The module. Failure (feature_not_supported) with a hint where it is not installed; `purpose` says in the message what
// needs it, such as "reading Parquet files".
const files::Module& files_module(const std::string& purpose);

// What the module calls a format.
files::Format module_format(locations::Format format);

// A file as the module is given it. It must outlive the result.
files::Source module_source(const locations::File& file, locations::FileType type);

// The bounds of its work, from the settings etl_orchestrator.file_*.
files::Limits file_limits();

}  // namespace etl
