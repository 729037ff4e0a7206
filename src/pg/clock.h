// Two clocks: that of the wall, which people and tables are told, and one that nobody can set, for how long something
// takes and when it is due.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// The clock that nobody can set is the same for all processes of a machine. It begins anew with the machine: what it
// says belongs into shared memory at most, never into a table.
int64_t monotonic_us();
int64_t monotonic_ms();

// From now until `due`, as monotonic_ms() counts; at least 0.
long milliseconds_until(int64_t due);

// The same moment by both clocks.
struct Moment {
  TimestampTz at;  // of the wall; 0: no moment
  int64 us;        // monotonic
};

Moment now();

// A time of the wall as SQL writes it, exactly, whatever the session's time zone.
std::string timestamp_text(TimestampTz time);
Moment later(const Moment& moment, int64_t milliseconds);

// When monotonic_ms() will have reached a moment.
int64_t due_ms(const Moment& moment);

}  // namespace etl::pg
