// The rows that a version of a file has brought to a table with provenance.
//
// Its path (_source_file) and the moment of its load (_loaded_at, setup.load_files.row_stamp) tell them together: other
// jobs may load files with the same path, of this location or another one, into the same table.
#pragma once

#include "engine/load_options.h"
#include "locations/versions.h"

namespace etl::source_rows {

// Whether they can be told.
bool are_known(const LoadOptions& options, const locations::Known& version);

// As statements of the transaction block that is open, with the current user's rights; nothing where they cannot be
// told.
void remove(const LoadOptions& options, const std::vector<locations::Known>& versions);
void rename(const LoadOptions& options, const std::vector<locations::Move>& moves);

}  // namespace etl::source_rows
