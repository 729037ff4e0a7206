// Starting and entering the engine's background workers.
#pragma once

#include "engine/shared_state.h"

extern "C" {
#include "postmaster/bgworker.h"
}

namespace etl {

// What a dynamic worker is told when it starts, in bgw_extra.
struct StartOrder {
  Oid database;
  Oid owner;             // of a worker; InvalidOid for a conductor
  int place;             // index of its seat or slot
  uint64 generation;     // of the slot, for a worker: another number there means that it is not expected any more
  uint64_t fingerprint;  // of a worker's session, taken before it starts: see session.h
};

// Registers the launcher; called when the postmaster loads the library.
void register_launcher();

// Registers a dynamic worker that runs `entry_point`; this process gets a signal when it starts or stops. Null where
// the server has no worker slot left.
BackgroundWorkerHandle* start_background(const char* entry_point, const std::string& name, const char* type,
                                         const StartOrder& order);

// In the process that was started so.
StartOrder start_order();

// Connects a process of the engine's own, a conductor or a watcher, to a database.
void connect_engine_process(Oid database);

// Writes one line to the server's log.
void log_line(int level, const std::string& message, const std::string& hint = "");

}  // namespace etl
