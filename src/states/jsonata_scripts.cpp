#include "states/jsonata_text.h"

namespace etl::states {

const std::string_view kJsonataPrelude = R"js((function (host) {
  'use strict';

  // A generator and its context in one. Nothing in the library waits for anything: a generator that delegates to another
  // is put aside until that one has ended, and what one yields is what it is sent. `tries` has the places where a try
  // begins and where its catch does.
  function Generator(step, self, tries) {
    this.step = step;
    this.self = self;
    if (tries) this.tries = tries;
  }

  Generator.prototype = {
    prev: 0,
    next: 0,
    sent: undefined,
    ended: false,
    value: undefined,
    delegate: null,
    target: '',
    settles: null,
    tries: null,
    thrown: undefined,

    abrupt: function (type, argument) {
      if (type === 'return') {
        this.ended = true;
        this.value = argument;
      } else {
        this.next = argument;
      }
    },
    delegateYield: function (other, target, next) {
      this.next = next;
      if (other instanceof Generator) {
        this.delegate = other;
        this.target = target;
      } else {
        this[target] = other;
      }
    },
    'catch': function () {
      return this.thrown;
    },
    stop: function () {
      this.ended = true;
    }
  };

  function catches(generator, error) {
    for (var i = generator.tries.length - 1; i >= 0; i--) {
      var start = generator.tries[i][0], handler = generator.tries[i][1];
      if (start <= generator.prev && generator.prev < handler) {
        generator.next = handler;
        generator.thrown = error;
        generator.delegate = null;
        return true;
      }
    }
    return false;
  }

  function run(generator) {
    if (!(generator instanceof Generator)) return generator;
    var waiting = [];
    for (;;) {
      try {
        for (;;) {
          var yielded = generator.step.call(generator.self, generator);
          if (generator.delegate !== null) {
            waiting.push(generator);
            generator = generator.delegate;
          } else if (!generator.ended) {
            generator.sent = yielded;
          } else {
            var value = generator.value;
            if (generator.settles !== null) value = window.generators.settle(generator.settles, value);
            if (waiting.length === 0) return value;
            generator = waiting.pop();
            generator.delegate = null;
            generator[generator.target] = value;
          }
        }
      } catch (error) {
        while (generator && !(generator.tries && catches(generator, error))) generator = waiting.pop();
        if (!generator) throw error;
      }
    }
  }

  function keys(object) {
    var left = [];
    for (var key in object) left.push(key);
    left.reverse();
    return function () {
      return left.length > 0 ? { value: left.pop(), done: false } : { value: undefined, done: true };
    };
  }

  window.generators = {
    Generator: Generator,
    wrap: function (method, outer, self, tries) { return new Generator(method.step, self, tries); },
    mark: function (outer) { return outer; },
    keys: keys,
    run: run
  };

  // What variables are looked up in: a frame, then those around it.
  function Frame(outer) {
    this.bindings = Object.create(outer ? outer.bindings : null);
    this.timestamp = outer ? outer.timestamp : null;
    this.async = false;
    this.global = outer ? outer.global : { ancestry: [null] };
  }

  Frame.prototype = {
    bind: function (name, value) { this.bindings[name] = value; },
    lookup: function (name) { return this.bindings[name]; }
  };

  window.Frame = Frame;
  window.sequence = host.sequence;
  window.parameters = function (count) {
    var names = [];
    while (names.length < count) names.push('argument' + names.length);
    return names;
  };
  window.characters = host.characters;
  window.btoa = host.to_base64;
  window.atob = host.from_base64;
}))js";

// Inside the library: expressions and paths that only name things. As the generators of the library do it.
const std::string_view kSimpleEvaluation = R"js(
  function isSimpleStep(expr) {
    return (expr.type === 'name' || expr.type === 'variable' || expr.type === 'string' || expr.type === 'number' ||
            expr.type === 'value') &&
      expr.predicate === undefined && expr.group === undefined && expr.stages === undefined;
  }

  function isSimplePath(path) {
    return path.predicate === undefined && path.group === undefined && !path.keepSingletonArray && !path.tuple &&
      path.steps.every(function (step) {
        return isSimpleStep(step) && !step.tuple && !step.consarray && step.focus === undefined;
      });
  }

  // What is found out once stays with the parsed expression.
  function isSimple(expr) {
    if (expr.simple === undefined) expr.simple = expr.type === 'path' ? isSimplePath(expr) : isSimpleStep(expr);
    return expr.simple;
  }

  function evaluateSimple(expr, input, environment) {
    switch (expr.type) {
      case 'path': return settle(expr, evaluateSimplePath(expr, input, environment));
      case 'name': return settle(expr, evaluateName(expr, input, environment));
      case 'variable': return settle(expr, evaluateVariable(expr, input, environment));
      default: return evaluateLiteral(expr);
    }
  }

  // One item of a sequence stands for itself, and none for nothing.
  function settle(expr, result) {
    if (!result || !isSequence(result) || result.tupleStream) return result;
    if (expr.keepArray) result.keepSingleton = true;
    if (result.length === 0) return undefined;
    return result.length === 1 && !result.keepSingleton ? result[0] : result;
  }
  window.generators.settle = settle;

  // The generator for an expression, which is settled when that ends; or its value.
  function evaluateDirectly(expr, input, environment) {
    var result = startEvaluation(expr, input, environment);
    if (!isIterable(result)) return settle(expr, result);
    result.settles = expr;
    return result;
  }

  function startEvaluation(expr, input, environment) {
    switch (expr.type) {
      case 'path': return evaluatePath(expr, input, environment);
      case 'function': return evaluateFunction(expr, input, environment);
      case 'binary': return evaluateBinary(expr, input, environment);
      case 'unary': return evaluateUnary(expr, input, environment);
      case 'condition': return evaluateCondition(expr, input, environment);
      case 'block': return evaluateBlock(expr, input, environment);
      case 'bind': return evaluateBindExpression(expr, input, environment);
      case 'lambda': return evaluateLambda(expr, input, environment);
      case 'wildcard': return evaluateWildcard(expr, input, environment);
      case 'descendant': return evaluateDescendants(expr, input, environment);
      case 'parent': return environment.lookup(expr.slot.label);
      case 'regex': return evaluateRegex(expr, input, environment);
      case 'partial': return evaluatePartialApplication(expr, input, environment);
      case 'apply': return evaluateApplyExpression(expr, input, environment);
      case 'transform': return evaluateTransformExpression(expr, input, environment);
      case 'name': return evaluateName(expr, input, environment);
      case 'variable': return evaluateVariable(expr, input, environment);
      case 'string': case 'number': case 'value': return evaluateLiteral(expr);
    }
  }

  function evaluateSimplePath(path, input, environment) {
    var steps = path.steps;
    var sequence = Array.isArray(input) && steps[0].type !== 'variable' ? input : createSequence(input);
    for (var i = 0; i < steps.length; i++) {
      sequence = evaluateSimpleStep(steps[i], sequence, environment, i === steps.length - 1);
      if (sequence.length === 0) break;
    }
    return sequence;
  }

  function evaluateSimpleStep(step, input, environment, isLast) {
    var results = [];
    for (var i = 0; i < input.length; i++) {
      var result = evaluateSimple(step, input[i], environment);
      if (result !== undefined) results.push(result);
    }
    if (isLast && results.length === 1 && Array.isArray(results[0]) && !isSequence(results[0])) return results[0];
    var flat = createSequence();
    for (i = 0; i < results.length; i++) {
      if (!Array.isArray(results[i]) || results[i].cons) {
        flat.push(results[i]);
      } else {
        for (var j = 0; j < results[i].length; j++) flat.push(results[i][j]);
      }
    }
    return flat;
  }
)js";

const std::string_view kJsonataGlue = R"js((function (jsonata, host) {
  'use strict';
  var functions = jsonata.functions;

  function fail(message) { throw { code: '', message: message }; }

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
    var result = host.sequence();  // of one item, which then stands for itself
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
    var code = error.code === undefined ? '' : String(error.code);
    if (error instanceof RangeError && /limit$/.test(error.message)) {
      return [2, 'U1001', 'Stack overflow error: Check for non-terminating recursive function.'];
    }
    return [2, code, String(error.message)];
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

}  // namespace etl::states
