#include "states/jsonata.h"

#include "states/jsonata_machine.h"

namespace etl::states {

JsonataEngine::JsonataEngine(JsonataLimits limits, std::function<bool()> interrupt)
    : limits_(limits), interrupt_(std::move(interrupt)) {}

JsonataEngine::~JsonataEngine() = default;

// Calls `work` with the machine, which it makes if there is none, and does away with it when it was left in doubt.
template <typename Work>
auto JsonataEngine::with_machine(const Work& work) {
  try {
    if (!machine_) machine_ = std::make_unique<JsonataMachine>(limits_, interrupt_);
    return work(*machine_);
  } catch (const JsonataError&) {
    tidy();
    throw;
  } catch (const ScriptFailed& failure) {
    throw JsonataError("", failure.what());
  } catch (const ScriptStopped& stop) {
    machine_.reset();
    throw JsonataError("", stop.what());
  } catch (...) {
    machine_.reset();
    throw;
  }
}

void JsonataEngine::check(const std::string& expression) {
  with_machine([&](JsonataMachine& machine) { machine.check(expression); });
  tidy();
}

JsonataResult JsonataEngine::evaluate(const std::string& expression, const Json& states, const Json& variables,
                                      Entropy& entropy) {
  auto result =
      with_machine([&](JsonataMachine& machine) { return machine.evaluate(expression, states, variables, entropy); });
  tidy();
  return result;
}

void JsonataEngine::tidy() {
  if (machine_ && !machine_->recover()) machine_.reset();
}

}  // namespace etl::states
