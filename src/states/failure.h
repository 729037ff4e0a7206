// Why a state, or an execution, did not succeed.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

namespace etl::states {

// The names that the language knows.
namespace errors {
inline constexpr const char* kAll = "States.ALL";
inline constexpr const char* kTimeout = "States.Timeout";
inline constexpr const char* kHeartbeatTimeout = "States.HeartbeatTimeout";
inline constexpr const char* kTaskFailed = "States.TaskFailed";
inline constexpr const char* kPermissions = "States.Permissions";
inline constexpr const char* kRuntime = "States.Runtime";
inline constexpr const char* kNoChoiceMatched = "States.NoChoiceMatched";
inline constexpr const char* kIntrinsicFailure = "States.IntrinsicFailure";
inline constexpr const char* kDataLimitExceeded = "States.DataLimitExceeded";
inline constexpr const char* kQueryEvaluationError = "States.QueryEvaluationError";
inline constexpr const char* kExceedToleratedFailureThreshold = "States.ExceedToleratedFailureThreshold";
inline constexpr const char* kItemReaderFailed = "States.ItemReaderFailed";
inline constexpr const char* kResultPathMatchFailure = "States.ResultPathMatchFailure";
}  // namespace errors

// Error and cause as the service reports them; a Fail state may have neither.
struct Failure {
  std::optional<std::string> error;
  std::optional<std::string> cause;

  bool operator==(const Failure&) const = default;
};

// Raised by whatever evaluates a part of a state. `location` is the field with a JSONata expression that failed, as the
// history tells it: Output/result.
class StateError : public std::runtime_error {
 public:
  StateError(std::string error, std::string cause, std::string location = "")
      : std::runtime_error(error + ": " + cause),
        failure_{std::move(error), std::move(cause)},
        location_(std::move(location)) {}

  const Failure& failure() const { return failure_; }
  const std::string& location() const { return location_; }

 private:
  Failure failure_;
  std::string location_;
};

}  // namespace etl::states
