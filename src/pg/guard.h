// The gate from C++ to the server and back with an error: the only sigsetjmp of the extension.
//
// The server raises errors with longjmp, which skips destructors. So every call of the server that can raise is
// made inside guard(), whose lambda calls the server and holds nothing that needs a destructor. An error becomes
// the C++ exception pg::Error, and from there on destructors run.
//
// After guard() threw, the transaction is not usable: locks and pins are still held. Rethrow up to boundary(), or
// abort the transaction at the top of a background process, or roll back a subtransaction that was opened before.
#pragma once

#include <csetjmp>

#include "pg/error.h"

namespace etl::pg {

namespace detail {
// Copies the error that the server is raising into a context of its own and clears the server's error state.
[[noreturn]] void throw_current_error(MemoryContext caller);
}  // namespace detail

template <typename F>
auto guard(F&& call) -> decltype(call()) {
  using Result = decltype(call());
  static_assert(std::is_void_v<Result> || std::is_trivially_copyable_v<Result>,
                "what passes the gate must not need a destructor");

  sigjmp_buf* const outer_stack = PG_exception_stack;
  ErrorContextCallback* const outer_context = error_context_stack;
  const MemoryContext caller = CurrentMemoryContext;
  sigjmp_buf here;

  if (sigsetjmp(here, 0) != 0) {
    PG_exception_stack = outer_stack;
    error_context_stack = outer_context;
    detail::throw_current_error(caller);
  }
  PG_exception_stack = &here;
  try {
    if constexpr (std::is_void_v<Result>) {
      call();
      PG_exception_stack = outer_stack;
      error_context_stack = outer_context;
    } else {
      Result result = call();
      PG_exception_stack = outer_stack;
      error_context_stack = outer_context;
      return result;
    }
  } catch (...) {  // a C++ exception passes through: the server must not jump to a frame that is gone
    PG_exception_stack = outer_stack;
    error_context_stack = outer_context;
    throw;
  }
}

}  // namespace etl::pg
