#include "states/jsonata_text.h"

#include <array>
#include <stdexcept>

extern "C" {
__attribute__((visibility("hidden"))) extern const char etl_jsonata_source[];
__attribute__((visibility("hidden"))) extern const char etl_jsonata_source_end[];
}

namespace etl::states {
namespace {

// A change of the library's text, in the one place that has it.
struct Amendment {
  std::string_view from;
  std::string_view to;
};

const std::array kAmendments = {
    // A variable may have any name, also one that objects inherit something by.
    Amendment{"function createFrame(enclosingEnvironment) {",
              "function createFrame(enclosingEnvironment) {\n    return new window.Frame(enclosingEnvironment);"},
    Amendment{"if (!groups.hasOwnProperty(key)) {", "if (!Object.prototype.hasOwnProperty.call(groups, key)) {"},
    // A field is what the object itself has; and functions have none: what is inside them outlives an evaluation.
    Amendment{"} else if (input !== null && _typeof(input) === 'object') {\n      result = input[key];",
              "} else if (input !== null && typeof input === 'object' && "
              "Object.prototype.hasOwnProperty.call(input, key) && !isFunction(input)) {\n      result = input[key];"},
    // What an update changes is always a copy.
    Amendment{"cloneFunction = environment.lookup('clone');", "cloneFunction = staticFrame.lookup('clone');"},
    // Nobody listens to each step of an evaluation.
    Amendment{"entryCallback = environment.lookup('__evaluate_entry');", ""},
    Amendment{"exitCallback = environment.lookup('__evaluate_exit');", ""},
    // Generators are run by what the prelude has.
    Amendment{"return _typeof(arg) === 'object' && arg !== null && iteratorSymbol in arg && 'next' in arg && "
              "typeof arg.next === 'function';",
              "return arg instanceof window.generators.Generator;"},
    Amendment{"it = _evaluate(_ast, input, exec_env);\n            result = it.next();\n            while",
              "return window.generators.run(_evaluate(_ast, input, exec_env));\n            while"},
    // Faster: what waits for nothing needs no generator, and is found by evaluateSimple() and its like.
    Amendment{"function _evaluate(expr, input, environment) {",
              "function _evaluate(expr, input, environment) {\n"
              "    if (isSimple(expr)) return evaluateSimple(expr, input, environment);\n"
              "    if (expr.predicate === undefined && (expr.group === undefined || expr.type === 'path')) "
              "return evaluateDirectly(expr, input, environment);"},
    Amendment{"function evaluateStep(expr, input, environment, lastStep) {",
              "function evaluateStep(expr, input, environment, lastStep) {\n"
              "    if (isSimpleStep(expr)) return evaluateSimpleStep(expr, input, environment, lastStep);"},
    Amendment{"  // Start of Evaluator code\n", kSimpleEvaluation},
    Amendment{"createSequence: createSequence,", "createSequence: window.sequence,"},
    Amendment{"_context.t0 = expr.type;", "var type = expr.type;"},
    // Characters, not code units.
    Amendment{"function stringToArray(str) {", "function stringToArray(str) {\n    return window.characters(str);"},
    // Functions do not tell the names of their parameters.
    Amendment{"var signature = func.toString();",
              "return window.parameters(func.length);\n    var signature = func.toString();"},
    // Lets us add functions.
    Amendment{"  jsonata.parser = parser;", "  jsonata.functions = staticFrame; jsonata.define = defineFunction;"},
};

std::logic_error unexpected(std::string_view part) {
  return std::logic_error("JSONata's text is not the expected one: " + std::string(part));
}

// Replaces every `from`; there are as many as when this was written.
void replace_all(std::string& text, std::string_view from, std::string_view to, size_t expected) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size(), ++found) {
    text.replace(at, from.size(), to);
  }
  if (found != expected) throw unexpected(from);
}

void amend(std::string& text, const Amendment& amendment) {
  const size_t at = text.find(amendment.from);
  if (at == std::string::npos || text.find(amendment.from, at + 1) != std::string::npos) {
    throw unexpected(amendment.from);
  }
  text.replace(at, amendment.from.size(), amendment.to);
}

// Each module has its copy of what runs generators; ours is faster, and takes no stack. The steps of a generator,
//   wrap(function name$(context) { ... return context.stop(); } }, outer)
// become a method: a function costs more, since it could be a constructor.
void replace_generators(std::string& text) {
  for (int module = 0; module < 2; ++module) {
    const size_t at = text.find("function _regeneratorRuntime() { \"use strict\"");
    if (at == std::string::npos) throw unexpected("_regeneratorRuntime");
    text.replace(at, text.find('\n', at) - at, "function _regeneratorRuntime() { return window.generators; }");
  }
  constexpr std::string_view kStart = ".wrap(function ";
  constexpr std::string_view kMethod = ".wrap({ step";
  constexpr std::string_view kStop = ".stop();";
  size_t found = 0;
  for (size_t at = 0; (at = text.find(kStart, at)) != std::string::npos; ++found) {
    text.replace(at, text.find('(', at + kStart.size()) - at, kMethod);
  }
  for (size_t at = 0; (at = text.find(kStop, at)) != std::string::npos; --found) {
    const size_t end_of_switch = text.find('}', at);
    at = text.find('}', end_of_switch + 1);
    text.insert(at, 1, '}');
  }
  if (found != 0) throw unexpected(kStart);
}

// A step that only goes on elsewhere needs no help: context.abrupt("break", 50) becomes context.next = 50; break.
void replace_jumps(std::string& text) {
  constexpr std::string_view kReturn = "return _context";
  for (const std::string_view call :
       {std::string_view(".abrupt(\"break\", "), std::string_view(".abrupt(\"continue\", ")}) {
    for (size_t at = 0; (at = text.find(call, at)) != std::string::npos;) {
      const size_t start = text.rfind(kReturn, at);
      const size_t label = at + call.size();
      const size_t end = text.find(");", label);
      const std::string context = text.substr(start + 7, at - start - 7);
      const std::string jump = context + ".next = " + text.substr(label, end - label) + "; break;";
      text.replace(start, end + 2 - start, jump);
      at = start + jump.size();
    }
  }
}

// The operator instead of the function that imitates it for older interpreters.
void replace_typeof(std::string& text) {
  constexpr std::string_view kCall = "_typeof(";
  constexpr std::string_view kFunction = "function ";
  for (size_t at = 0; (at = text.find(kCall, at)) != std::string::npos; ++at) {
    if (at >= kFunction.size() && text.compare(at - kFunction.size(), kFunction.size(), kFunction) == 0) continue;
    text.replace(at, kCall.size(), " typeof(");
  }
}

}  // namespace

std::string jsonata_library() {
  std::string text(etl_jsonata_source, etl_jsonata_source_end);
  for (const Amendment& amendment : kAmendments) amend(text, amendment);
  replace_generators(text);
  replace_jumps(text);
  replace_all(text, "_context.t0 === '", "type === '", 20);
  replace_typeof(text);
  return text;
}

}  // namespace etl::states
