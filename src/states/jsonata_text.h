// What the interpreter loads.
#pragma once

#include <string>
#include <string_view>

namespace etl::states {

// To be run before the library: what it expects of a browser, and of newer JavaScript. An expression whose value is a
// function of (host), the functions of jsonata_functions.h.
extern const std::string_view kJsonataPrelude;

// The library's text, amended. It finds what the prelude made, and puts itself, into the global object `window`.
// std::logic_error if it is not the text that the amendments were written for.
std::string jsonata_library();

// Put into the library by the amendments.
extern const std::string_view kSimpleEvaluation;

// To be run after it: an expression whose value is a function of (jsonata, host), which gives an object with
//   parse(text): the parsed expression, or an error as below;
//   evaluate(parsed, variables): an array: [0, value], [1] for undefined, [2, code, message] for an error.
extern const std::string_view kJsonataGlue;

}  // namespace etl::states
