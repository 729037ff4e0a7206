#include <algorithm>
#include <limits>

#include "states/validation.h"

namespace etl::states::validation {
namespace {

constexpr std::string_view kKnownErrors[] = {"States.ALL",
                                             "States.Timeout",
                                             "States.HeartbeatTimeout",
                                             "States.TaskFailed",
                                             "States.Permissions",
                                             "States.Runtime",
                                             "States.NoChoiceMatched",
                                             "States.IntrinsicFailure",
                                             "States.DataLimitExceeded",
                                             "States.QueryEvaluationError",
                                             "States.ExceedToleratedFailureThreshold",
                                             "States.ItemReaderFailed",
                                             "States.ResultWriterFailed",
                                             "States.ResultPathMatchFailure",
                                             "States.ParameterPathFailure",
                                             "States.BranchFailed"};

bool equal_without_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

// Names that match nothing that can happen.
void check_error_name(Context& context, const std::string& name, const Place& place) {
  if (name == errors::kRuntime) {
    context.warn(place, "UNCATCHABLE_ERROR",
                 "States.Runtime always ends the execution: it is neither retried nor caught");
    return;
  }
  if (std::find(std::begin(kKnownErrors), std::end(kKnownErrors), name) != std::end(kKnownErrors)) return;
  if (equal_without_case(name, "State.ALL") || equal_without_case(name, "States.ALL")) {
    context.warn(place, "MISSPELLED_ERROR_NAME", in_quotes(name) + " matches nothing; did you mean \"States.ALL\"?");
  } else if (name.starts_with("States.") && !name.starts_with("States.Http.")) {
    context.warn(place, "UNKNOWN_ERROR_NAME", "no error of the language is called " + in_quotes(name));
  }
}

// ErrorEquals of a retrier or catcher.
void check_names(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (!value.is_array() || value.empty()) {
    context.error(place, "WRONG_TYPE", "\"ErrorEquals\" must be a list of at least one error name");
    return;
  }
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i].is_string()) {
      check_error_name(context, value[i].get_ref<const std::string&>(), place / i);
    } else {
      context.error(place / i, "WRONG_TYPE", "an error name must be a string");
    }
  }
}

void check_rate(Context& context, const Json& value, const Place& place, QueryLanguage) {
  check_number(context, value, place, 1, std::numeric_limits<double>::infinity(), false);
}

void check_jitter(Context& context, const Json& value, const Place& place, QueryLanguage) {
  if (value == "FULL" || value == "NONE") return;
  context.error(place, "INVALID_VALUE", "\"JitterStrategy\" must be \"FULL\" or \"NONE\"");
}

constexpr int64_t kLongestDelay = 31'622'400;  // a year, in seconds

constexpr Field kRetrier[] = {{"ErrorEquals", check_names, Dialect::kAny, true},
                              {"IntervalSeconds", check_whole_number<1, kMostSeconds>},
                              {"MaxAttempts", check_whole_number<0, kMostSeconds>},
                              {"BackoffRate", check_rate},
                              {"MaxDelaySeconds", check_whole_number<1, kLongestDelay>},
                              {"JitterStrategy", check_jitter},
                              {"Comment", check_text}};

constexpr Field kCatcher[] = {{"ErrorEquals", check_names, Dialect::kAny, true},
                              {"Next", check_text, Dialect::kAny, true},
                              {"ResultPath", check_result_path, Dialect::kJsonPath},
                              {"Output", check_expressions, Dialect::kJsonata},
                              {"Assign", check_assign},
                              {"Comment", check_text}};

bool has_all(const Json& names) {
  return names.is_array() && std::find(names.begin(), names.end(), Json(errors::kAll)) != names.end();
}

// States.ALL stands alone, and nothing behind it.
void check_all(Context& context, const Json& list, const Place& place) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_object() || !list[i].contains("ErrorEquals") || !has_all(list[i]["ErrorEquals"])) continue;
    const Place entry = place / i;
    if (list[i]["ErrorEquals"].size() > 1) {
      context.error(entry / "ErrorEquals", "STATES_ALL_NOT_ALONE",
                    "States.ALL must be the only name of its list, as it matches every other");
    }
    if (i + 1 < list.size()) {
      context.error(entry / "ErrorEquals", "STATES_ALL_NOT_LAST",
                    "what has States.ALL must be the last of its list, as nothing gets behind it");
    }
  }
}

void check_list(Context& context, const Json& list, const Place& place, QueryLanguage language, const char* owner,
                Fields fields) {
  if (!list.is_array()) {
    context.error(place, "WRONG_TYPE", in_quotes(place.key()) + " must be a list");
    return;
  }
  for (size_t i = 0; i < list.size(); ++i) check_object(context, list[i], place / i, language, owner, {fields});
  check_all(context, list, place);
}

}  // namespace

void check_retriers(Context& context, const Json& list, const Place& place, QueryLanguage language) {
  check_list(context, list, place, language, "a retrier", kRetrier);
}

void check_catchers(Context& context, const Json& list, const Place& place, QueryLanguage language) {
  check_list(context, list, place, language, "a catcher", kCatcher);
}

}  // namespace etl::states::validation
