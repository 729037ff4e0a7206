// What a big run costs the conductor of the database: memory of its process, as Linux counts it in /proc.
#pragma once

#include <pqxx/pqxx>
#include <string>

namespace bench {

struct Memory {
  double own_mib;   // RssAnon: what is the process's alone
  double with_mib;  // VmRSS, or VmHWM where it is a peak: with the pages of shared memory and of files that it touched
};

struct ConductorMemory {
  Memory before;  // a fresh conductor that has had a run of one job
  Memory peak;    // while the big run goes on
  double per_second;
};

// Ends the conductor that there is, and lets a fresh one do a run of one job, then one of so many independent jobs.
ConductorMemory measure_conductor(pqxx::connection& connection, int jobs);

}  // namespace bench
