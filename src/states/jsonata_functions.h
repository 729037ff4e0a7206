// Functions for scripts, in C++.
#pragma once

#include <string>

#include "states/intrinsics.h"

struct duk_hthread;

namespace etl::states {

// Where the functions find what they need: the interpreter's stash points to it.
struct JsonataHost {
  Entropy* entropy = nullptr;
  std::string text;  // of whichever function runs: the interpreter may leave it by longjmp
};

// Within ScriptHeap::run(). Pushes an object with the functions; `host` lives as long as the interpreter.
void push_host(duk_hthread* context, JsonataHost& host);

}  // namespace etl::states
