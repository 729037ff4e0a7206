// How Duktape, the JavaScript interpreter below JSONata, is compiled: included before its own headers.
//
// Expressions are a user's, so nothing that they start may run on unasked. The macros below put a call of ours wherever
// Duktape may spend long: every few hundred instructions, at every call and step of a regular expression, at each
// object that the garbage collector marks, in comparisons of long strings. Those calls leave by a C++ exception, past
// all that Duktape had in hand; its heap is not used again (script_heap.h). For the same reason it is compiled with
// -fexceptions.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#define ETL_NORETURN [[noreturn]]
#else
#define ETL_NORETURN __attribute__((noreturn))
#endif

#pragma GCC visibility push(hidden)

int etl_script_interrupted(void* heap);    // 0, or does not return
int etl_script_stack_is_full(void* heap);  // not 0: no room for another call
size_t etl_script_mark_depth(void* heap);  // how far the garbage collector may follow objects at once
int etl_script_compare(const void* a, const void* b, size_t length);  // memcmp
double etl_script_random(void* heap);                                 // from 0 on, below 1
ETL_NORETURN void etl_script_fatal(void* heap, const char* message);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#define DUK_MEMCMP etl_script_compare

#include <duk_config.h>

// Nothing of it may be seen outside: another extension may bring another Duktape.
#undef DUK_EXTERNAL_DECL
#undef DUK_EXTERNAL
#define DUK_EXTERNAL_DECL __attribute__((visibility("hidden"))) extern
#define DUK_EXTERNAL __attribute__((visibility("hidden")))

#undef DUK_USE_INTERRUPT_COUNTER
#define DUK_USE_INTERRUPT_COUNTER
// `ctr` is the variable of the calling function that says after how many instructions it asks again.
#undef DUK_USE_EXEC_TIMEOUT_CHECK
#define DUK_USE_EXEC_TIMEOUT_CHECK(heap) (ctr = 512, etl_script_interrupted(heap))

// Both stand in functions that have `thr` and `heap`.
#undef DUK_USE_NATIVE_STACK_CHECK
#define DUK_USE_NATIVE_STACK_CHECK() etl_script_stack_is_full(thr->heap->heap_udata)
#undef DUK_USE_MARK_AND_SWEEP_RECLIMIT
#define DUK_USE_MARK_AND_SWEEP_RECLIMIT etl_script_mark_depth(heap->heap_udata)

#undef DUK_USE_FATAL_HANDLER
#define DUK_USE_FATAL_HANDLER(heap, message) etl_script_fatal(heap, message)

#undef DUK_USE_GET_RANDOM_DOUBLE
#define DUK_USE_GET_RANDOM_DOUBLE(heap) etl_script_random(heap)

// An object's __proto__ is a name like others: JSON may have it.
#undef DUK_USE_ES6_OBJECT_PROTO_PROPERTY

// Times are UTC, and are read by no locale's rules.
#undef DUK_USE_DATE_GET_LOCAL_TZOFFSET
#define DUK_USE_DATE_GET_LOCAL_TZOFFSET(time) 0
#undef DUK_USE_DATE_PARSE_STRING
#undef DUK_USE_DATE_PRS_STRPTIME
#undef DUK_USE_DATE_FORMAT_STRING
#undef DUK_USE_DATE_FMT_STRFTIME

// Nobody reads the stack of an error.
#undef DUK_USE_TRACEBACKS
#undef DUK_USE_DEBUGGER_THROW_NOTIFY
