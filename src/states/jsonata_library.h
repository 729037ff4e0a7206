// The library JSONata inside an interpreter: its text with our amendments, the functions that the service adds, and
// what calls it.
#pragma once

#include <string>

#include "states/intrinsics.h"

struct duk_hthread;

namespace etl::states {

// Where functions of scripts find what they need: the interpreter's global stash points to it.
struct JsonataHost {
  Entropy* entropy = nullptr;
  std::string text;  // belongs to whichever function runs: the interpreter may leave it by longjmp
};

// Within ScriptHeap::run(). Leaves one object on the stack, with two functions:
//   parse(expression text) gives the parsed expression, or the error as below;
//   evaluate(parsed, variables) gives an array: [0, value]; [1] for undefined; [2, code, message] for an error.
void push_jsonata(duk_hthread* context, JsonataHost& host);

}  // namespace etl::states
