// What must end before the process does.
//
// A process that is terminated (FATAL) leaves without running destructors, through exit(): threads that still ran then
// would use what exit() takes away under them, and a crash would restart the server. So whoever owns a thread says here
// how to end it.
#pragma once

namespace etl::files::at_exit {

using End = void (*)(void* owner);

// The latest added is ended first.
void add(void* owner, End end);
void remove(void* owner);

}  // namespace etl::files::at_exit
