// What users ask of executions: start, stop, tell the result of a task that waits for its token.
#pragma once

#include <optional>
#include <string>

#include "engine/shared_state.h"
#include "pg/spi.h"

namespace etl {

// Starts an execution when the current transaction commits. `input` is JSON. Without a name it gets one. Where an
// execution of that name is there: the same, if its input is, else Failure (duplicate_object). Failure
// (undefined_object) for a machine that the current user may not start.
struct StartedExecution {
  RunId run_id;
  bool is_new;
};
StartedExecution start_execution(const std::string& machine, const std::string& input,
                                 const std::optional<std::string>& name);

// Starts an execution, commits, reports its progress as NOTICEs and returns when it has succeeded. Raises kRunFailed
// and the like where it ended otherwise. `spi` is not atomic.
void run_execution(const std::string& machine, const std::string& input, const std::optional<std::string>& name,
                   pg::Spi* spi);

// Lets an execution that did not succeed go on where it failed. Failure (object_not_in_prerequisite_state) where it has
// not ended, or succeeded; (feature_not_supported) where its machine is EXPRESS.
void redrive_execution(RunId run_id);

// Asks for the end of an execution. A notice where it has ended. Failure (no_data_found) for one that the current user
// does not see.
void stop_execution(RunId run_id, const std::optional<std::string>& error, const std::optional<std::string>& cause);

// Each ends, when the transaction commits, a task that waits for a token, or prolongs its heartbeat. Failure
// (no_data_found) where no task waits for it.
void send_task_success(const std::string& token, const std::string& output);
void send_task_failure(const std::string& token, const std::optional<std::string>& error,
                       const std::optional<std::string>& cause);
void send_task_heartbeat(const std::string& token);

}  // namespace etl
