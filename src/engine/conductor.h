// The conductor: one worker per database that owns every run of it.
#pragma once

namespace etl {

// Conducts the runs of this database until there is nothing left to do and the seat is given back, or until the process
// is ended. Needs the seat.
void conduct_runs();

}  // namespace etl
