#include "states/jsonata_library.h"

#include <array>
#include <bit>
#include <cstdio>
#include <stdexcept>

#include "states/digest.h"
#include "states/duktape_options.h"
#include "states/script_values.h"

#include <duktape.h>

extern "C" {
__attribute__((visibility("hidden"))) extern const char etl_jsonata_source[];
__attribute__((visibility("hidden"))) extern const char etl_jsonata_source_end[];
}

namespace etl::states {
namespace {

// A change of the library's text.
struct Amendment {
  std::string_view from;
  std::string_view to;
};

constexpr std::array kAmendments = {
    // A variable may have any name, also one that objects inherit something by.
    Amendment{"var bindings = {};\n    return {\n      bind:",
              "var bindings = Object.create(null);\n    return {\n      bind:"},
    Amendment{"if (bindings.hasOwnProperty(name)) {", "if (name in bindings) {"},
    Amendment{"if (!groups.hasOwnProperty(key)) {", "if (!Object.prototype.hasOwnProperty.call(groups, key)) {"},
    // A field is what the object itself has; and functions have none, whose inside outlives an evaluation.
    Amendment{"} else if (input !== null && _typeof(input) === 'object') {\n      result = input[key];",
              "} else if (input !== null && typeof input === 'object' && "
              "Object.prototype.hasOwnProperty.call(input, key) && !isFunction(input)) "
              "{\n      result = input[key];"},
    // What an update changes is always a copy.
    Amendment{"cloneFunction = environment.lookup('clone');", "cloneFunction = staticFrame.lookup('clone');"},
    // Lets us add functions.
    Amendment{"  jsonata.parser = parser;", "  jsonata.functions = staticFrame; jsonata.define = defineFunction;"},
};

std::string library_text() {
  std::string text(etl_jsonata_source, etl_jsonata_source_end);
  for (const Amendment& amendment : kAmendments) {
    const size_t at = text.find(amendment.from);
    if (at == std::string::npos || text.find(amendment.from, at + 1) != std::string::npos) {
      throw std::logic_error("JSONata's text is not the expected one: " + std::string(amendment.from));
    }
    text.replace(at, amendment.from.size(), amendment.to);
  }
  return text;
}

// What is written in JavaScript. `host` has the functions of this file.
constexpr std::string_view kGlue = R"js((function (jsonata, host) {
  'use strict';
  var functions = jsonata.functions;

  function fail(message) { throw { code: '', message: message }; }

  // An array that JSONata takes as a sequence: one item stands for itself, none for nothing.
  function sequence() {
    var result = [];
    Object.defineProperty(result, 'sequence', { enumerable: false, value: true });
    return result;
  }

  function partition(array, size) {
    if (array === undefined) return undefined;
    if (!(size >= 1) || Math.floor(size) !== size) fail('The second argument of $partition must be a positive integer');
    var result = [];
    for (var at = 0; at < array.length; at += size) result.push(array.slice(at, at + size));
    return result;
  }

  function range(first, last, step) {
    if (first === undefined || last === undefined) return undefined;
    if (step === undefined) step = 1;
    if (step === 0) fail('The third argument of $range must not be 0');
    var count = Math.floor((last - first) / step + 1e-9) + 1;
    if (count > 10000000) throw { code: 'D2014', value: count };
    var result = sequence();
    for (var i = 0; i < count; i++) result.push(first + i * step);
    return result;
  }

  function parse(text) {
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      fail('The argument of $parse is not valid JSON');
    }
  }

  function hash(text, algorithm) {
    if (text === undefined) return undefined;
    var digits = host.hash(text, algorithm);
    if (digits === undefined) fail('The second argument of $hash must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512');
    return digits;
  }

  function add(name, implementation, signature) {
    functions.bind(name, jsonata.define(implementation, signature));
  }
  add('partition', partition, '<an:a>');
  add('range', range, '<nnn?:a>');
  add('parse', parse, '<s-:x>');
  add('hash', hash, '<s-s:s>');
  add('random', host.random, '<n?:n>');
  add('uuid', host.uuid, '<:s>');
  functions.bind('eval', undefined);

  function failure(error) {
    if (error === null || typeof error !== 'object') return [2, '', String(error)];
    return [2, error.code === undefined ? '' : String(error.code), String(error.message)];
  }

  return {
    parse: function (text) {
      try {
        return jsonata(text);
      } catch (error) {
        return failure(error);
      }
    },
    evaluate: function (expression, variables) {
      try {
        var value = expression.evaluate(undefined, variables);
        return value === undefined ? [1] : [0, value];
      } catch (error) {
        return failure(error);
      }
    }
  };
}))js";

JsonataHost& host_of(duk_context* context) {
  duk_push_global_stash(context);
  duk_get_prop_string(context, -1, "host");
  JsonataHost* host = static_cast<JsonataHost*>(duk_get_pointer(context, -1));
  duk_pop_2(context);
  return *host;
}

duk_ret_t hash(duk_context* context) {
  JsonataHost& host = host_of(context);
  bool known = false;
  {
    const std::optional<std::string> digits = digest(take_text(context, 1), take_text(context, 0));
    known = digits.has_value();
    if (known) host.text = *digits;
  }
  if (!known) return 0;
  push_text(context, host.text);
  return 1;
}

// Spreads a seed over 64 bits, so that near seeds give far numbers.
uint64_t mixed(uint64_t bits) {
  bits += 0x9e3779b97f4a7c15;
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
  return bits ^ bits >> 31;
}

duk_ret_t random(duk_context* context) {
  JsonataHost& host = host_of(context);
  const double seed = duk_get_number_default(context, 0, 0);
  const uint64_t bits = duk_is_number(context, 0) ? mixed(std::bit_cast<uint64_t>(seed)) : host.entropy->next();
  duk_push_number(context, static_cast<double>(bits >> 11) * 0x1p-53);
  return 1;
}

duk_ret_t uuid(duk_context* context) {
  JsonataHost& host = host_of(context);
  const uint64_t high = (host.entropy->next() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (host.entropy->next() & ~(uint64_t{0xc0} << 56)) | uint64_t{0x80} << 56;
  char text[37];
  snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
           static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
           static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffff));
  duk_push_string(context, text);
  return 1;
}

// Characters are bytes here: those above U+00FF are refused.
duk_ret_t to_base64(duk_context* context) {
  const duk_size_t length = duk_get_length(context, 0);
  auto* bytes = static_cast<unsigned char*>(duk_push_fixed_buffer(context, length));
  for (duk_size_t i = 0; i < length; ++i) {
    const duk_codepoint_t c = duk_char_code_at(context, 0, i);
    if (c > 0xff) return duk_error(context, DUK_ERR_RANGE_ERROR, "a character is no byte: it is above U+00FF");
    bytes[i] = static_cast<unsigned char>(c);
  }
  duk_base64_encode(context, -1);
  return 1;
}

duk_ret_t from_base64(duk_context* context) {
  duk_dup(context, 0);
  duk_base64_decode(context, -1);
  duk_size_t size = 0;
  const auto* bytes = static_cast<const unsigned char*>(duk_require_buffer_data(context, -1, &size));
  JsonataHost& host = host_of(context);
  host.text.clear();
  for (duk_size_t i = 0; i < size; ++i) {
    if (bytes[i] >= 0x80) {
      host.text += static_cast<char>(0xc0 | bytes[i] >> 6);
      host.text += static_cast<char>(0x80 | (bytes[i] & 0x3f));
    } else {
      host.text += static_cast<char>(bytes[i]);
    }
  }
  push_text(context, host.text);
  return 1;
}

void put_function(duk_context* context, const char* name, duk_c_function function, duk_idx_t arguments) {
  duk_push_c_function(context, function, arguments);
  duk_put_prop_string(context, -2, name);
}

// The library asks a browser's window for base64.
void define_window(duk_context* context) {
  duk_push_object(context);
  put_function(context, "btoa", to_base64, 1);
  put_function(context, "atob", from_base64, 1);
  duk_put_global_string(context, "window");
}

void push_host_functions(duk_context* context) {
  duk_push_object(context);
  put_function(context, "hash", hash, 2);
  put_function(context, "random", random, 1);
  put_function(context, "uuid", uuid, 0);
}

}  // namespace

void push_jsonata(duk_hthread* context, JsonataHost& host) {
  duk_push_global_stash(context);
  duk_push_pointer(context, &host);
  duk_put_prop_string(context, -2, "host");
  duk_pop(context);
  define_window(context);

  host.text = library_text();
  duk_compile_lstring(context, DUK_COMPILE_SHEBANG, host.text.data(), host.text.size());
  host.text = std::string();
  duk_call(context, 0);
  duk_pop(context);

  duk_compile_lstring(context, DUK_COMPILE_EVAL, kGlue.data(), kGlue.size());
  duk_call(context, 0);
  duk_push_global_object(context);
  duk_get_prop_string(context, -1, "window");
  duk_get_prop_string(context, -1, "jsonata");
  duk_replace(context, -3);
  duk_pop(context);
  push_host_functions(context);
  duk_call(context, 2);
}

}  // namespace etl::states
