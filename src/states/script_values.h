// Between Json and the values of the interpreter.
//
// To be called within ScriptHeap::run(). Characters beyond the basic plane are two code units in a script, as
// JavaScript has them, and one in Json; what is no character becomes U+FFFD either way. A whole number comes back as an
// integer.
#pragma once

#include "states/json.h"

struct duk_hthread;

namespace etl::states {

// Pushes one value. Integers beyond 2^53 lose precision.
void push_json(duk_hthread* context, const Json& value);
void push_text(duk_hthread* context, std::string_view text);

enum class Taken {
  kValue,
  kUndefined,
  kUnsupported,  // there is a function in it
  kNotFinite,    // or a number that JSON has not
  kTooDeep,      // more than kDeepestJson
  kTooLarge,     // more than `most` bytes
};

// Reads the value on top of the stack into `target`, and leaves it there. Members without a value are left out. Values
// may be shared inside a script, and take their room once for each place in Json: hence `most`.
Taken take_json(duk_hthread* context, Json& target, size_t most);

std::string take_text(duk_hthread* context, int index);

}  // namespace etl::states
