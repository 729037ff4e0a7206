#include "states/jsonata_machine.h"

#include "states/duktape_options.h"
#include "states/jsonata_text.h"

#include <duktape.h>

namespace etl::states {
namespace {

constexpr std::chrono::milliseconds kLoadTime{30'000};
constexpr size_t kKeptExpressions = 256;
constexpr size_t kKeptBytes = 512 << 10;  // of their texts

// What `text` may refer to: a variable cannot be written otherwise than $name.
bool mentions(const std::string& text, const std::string& name) {
  for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; ++at) {
    if (at > 0 && text[at - 1] == '$') return true;
  }
  return false;
}

void push_member(duk_hthread* context, const std::string& name, const Json& value) {
  push_text(context, name);
  push_json(context, value);
  duk_put_prop(context, -3);
}

// Runs `text` and pushes what it gives.
void push_program(duk_hthread* context, std::string_view text) {
  duk_compile_lstring(context, DUK_COMPILE_EVAL, text.data(), text.size());
  duk_call(context, 0);
}

JsonataResult::Kind kind_of(Taken taken) {
  switch (taken) {
    case Taken::kValue:
      return JsonataResult::Kind::kValue;
    case Taken::kUndefined:
      return JsonataResult::Kind::kUndefined;
    case Taken::kUnsupported:
      return JsonataResult::Kind::kUnsupported;
    case Taken::kNotFinite:
      throw JsonataError("D1001", "Number out of range: the result is no finite number");
    case Taken::kTooDeep:
      throw JsonataError("", "The result is nested too deep");
    case Taken::kTooLarge:
      break;
  }
  throw JsonataError("", "The result is too large");
}

}  // namespace

JsonataMachine::JsonataMachine(const JsonataLimits& limits, const std::function<bool()>& interrupt)
    : limits_(limits), heap_(limits.memory, interrupt) {
  const std::string library = jsonata_library();
  heap_.run(kLoadTime, [&](duk_hthread* context) { load(context, library); });
}

void JsonataMachine::load(duk_hthread* context, const std::string& library) {
  duk_push_global_stash(context);
  duk_push_array(context);
  duk_put_prop_string(context, -2, "expressions");

  duk_push_object(context);
  duk_put_global_string(context, "window");
  push_program(context, kJsonataPrelude);
  push_host(context, host_);
  duk_dup(context, -1);
  duk_insert(context, -3);
  duk_call(context, 1);
  duk_pop(context);

  push_program(context, library);
  duk_pop(context);

  push_program(context, kJsonataGlue);
  duk_get_global_string(context, "window");
  duk_get_prop_string(context, -1, "jsonata");
  duk_remove(context, -2);
  duk_dup(context, -3);
  duk_call(context, 2);
  duk_put_prop_string(context, -3, "jsonata");
}

void JsonataMachine::check(const std::string& expression) {
  answer_ = Answer();
  heap_.run(limits_.time, [&](duk_hthread* context) {
    if (!push_parsed(context, expression)) take_problem(context);
  });
  raise_problem();
}

JsonataResult JsonataMachine::evaluate(const std::string& expression, const Json& states, const Json& variables,
                                       Entropy& entropy) {
  answer_ = Answer();
  host_.entropy = &entropy;
  heap_.random = [&entropy] { return entropy.next(); };
  heap_.run(limits_.time, [&](duk_hthread* context) {
    if (!push_parsed(context, expression)) return take_problem(context);
    duk_push_global_stash(context);
    duk_get_prop_string(context, -1, "jsonata");
    duk_get_prop_string(context, -1, "evaluate");
    duk_dup(context, -4);
    push_variables(context, expression, states, variables);
    duk_call(context, 2);
    take_answer(context);
  });
  raise_problem();
  return {kind_of(answer_.taken), std::move(answer_.value)};
}

bool JsonataMachine::recover() {
  const size_t bound = limits_.memory / 2;
  if (heap_.memory_used() > bound) heap_.collect_garbage();
  return heap_.memory_used() <= bound;
}

// Leaves on the stack the parsed expression, or what the library says against it: false.
bool JsonataMachine::push_parsed(duk_hthread* context, const std::string& text) {
  duk_push_global_stash(context);
  if (const auto found = by_text_.find(text); found != by_text_.end()) {
    kept_.splice(kept_.begin(), kept_, found->second);
    duk_get_prop_string(context, -1, "expressions");
    duk_get_prop_index(context, -1, found->second->slot);
    return true;
  }
  duk_get_prop_string(context, -1, "jsonata");
  duk_get_prop_string(context, -1, "parse");
  push_text(context, text);
  duk_call(context, 1);
  if (duk_is_array(context, -1)) return false;
  if (text.size() <= kKeptBytes / 16) keep(context, text);
  return true;
}

// The stack ends with the parsed expression. A slot that the interpreter fails to fill is never used again.
void JsonataMachine::keep(duk_hthread* context, const std::string& text) {
  while (!kept_.empty() && (kept_.size() >= kKeptExpressions || kept_bytes_ + text.size() > kKeptBytes)) forget_last();
  unsigned slot = slots_;
  if (free_slots_.empty()) {
    ++slots_;
  } else {
    slot = free_slots_.front();
    free_slots_.pop_front();
  }
  duk_push_global_stash(context);
  duk_get_prop_string(context, -1, "expressions");
  duk_dup(context, -3);
  duk_put_prop_index(context, -2, slot);
  duk_pop_2(context);
  kept_.push_front({text, slot});
  by_text_.emplace(kept_.front().text, kept_.begin());
  kept_bytes_ += text.size();
}

void JsonataMachine::forget_last() {
  by_text_.erase(kept_.back().text);
  kept_bytes_ -= kept_.back().text.size();
  free_slots_.push_back(kept_.back().slot);
  kept_.pop_back();
}

void JsonataMachine::push_variables(duk_hthread* context, const std::string& text, const Json& states,
                                    const Json& variables) {
  duk_push_object(context);
  if (mentions(text, "states")) push_member(context, "states", states);
  if (!variables.is_object()) return;
  for (auto variable = variables.begin(); variable != variables.end(); ++variable) {
    if (mentions(text, variable.key()) && variable.key() != "states") {
      push_member(context, variable.key(), variable.value());
    }
  }
}

// The stack ends with what the library's evaluate() gave.
void JsonataMachine::take_answer(duk_hthread* context) {
  duk_get_prop_index(context, -1, 0);
  const int kind = duk_get_int(context, -1);
  duk_pop(context);
  if (kind == 2) return take_problem(context);
  if (kind == 1) return;
  duk_get_prop_index(context, -1, 1);
  answer_.taken = take_json(context, answer_.value, limits_.result);
}

void JsonataMachine::take_problem(duk_hthread* context) {
  duk_get_prop_index(context, -1, 1);
  duk_get_prop_index(context, -2, 2);
  answer_.failed = true;
  answer_.code = take_text(context, -2);
  answer_.message = take_text(context, -1);
}

void JsonataMachine::raise_problem() const {
  if (answer_.failed) throw JsonataError(answer_.code, answer_.message);
}

}  // namespace etl::states
