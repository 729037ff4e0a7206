// An interpreter with JSONata loaded, and the expressions parsed last.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "states/jsonata.h"
#include "states/jsonata_functions.h"
#include "states/script_heap.h"
#include "states/script_values.h"

namespace etl::states {

class JsonataMachine {
 public:
  // ScriptStopped, std::bad_alloc.
  JsonataMachine(const JsonataLimits& limits, const std::function<bool()>& interrupt);

  // As JsonataEngine has them. After ScriptStopped, or any other exception than JsonataError, this machine is of no
  // use.
  void check(const std::string& expression);
  JsonataResult evaluate(const std::string& expression, const Json& states, const Json& variables, Entropy& entropy);

  // False if what evaluations have left behind takes too much of the memory: another machine is better.
  bool recover();

 private:
  struct Parsed {
    std::string text;
    unsigned slot;  // of the interpreter's array of expressions
  };
  using Kept = std::list<Parsed>;

  // An answer of the library, read out of the interpreter: it may be thrown only when no frame of that is left.
  struct Answer {
    bool failed = false;
    std::string code, message;
    Taken taken = Taken::kUndefined;
    Json value;
  };

  void load(duk_hthread* context, const std::string& library);
  bool push_parsed(duk_hthread* context, const std::string& text);
  void keep(duk_hthread* context, const std::string& text);
  void forget_last();
  void push_variables(duk_hthread* context, const std::string& text, const Json& states, const Json& variables);
  void take_answer(duk_hthread* context);
  void take_problem(duk_hthread* context);
  void raise_problem() const;

  const JsonataLimits limits_;
  JsonataHost host_;
  ScriptHeap heap_;
  Kept kept_;  // used last, first
  std::unordered_map<std::string_view, Kept::iterator> by_text_;
  size_t kept_bytes_ = 0;
  unsigned slots_ = 0;
  std::list<unsigned> free_slots_;
  Answer answer_;
};

}  // namespace etl::states
