// The gate from the server into C++: every function that the server calls has its body inside boundary().
//
// No C++ exception may leave such a function (the server would be terminated), and no error may be raised inside
// a catch block (the exception object would leak). So boundary() catches everything into a plain value, leaves
// the catch block, in which all C++ objects die, and raises then.
#pragma once

#include "pg/error.h"

namespace etl::pg {

namespace detail {

// An error on its way to the server: nothing in it needs a destructor.
struct Pending {
  ErrorData* caught = nullptr;  // an error of the server's own, as it was
  int sqlstate = 0;
  char* message = nullptr;
  char* detail = nullptr;
  char* hint = nullptr;

  void set(const Error& error);
  void set(const Failure& failure);
  void set(const std::exception& unexpected);
  void set_unknown();
  [[noreturn]] void raise() const;
};

}  // namespace detail

template <typename F>
auto boundary(F&& body) -> decltype(body()) {
  detail::Pending pending;
  try {
    return body();
  } catch (const Error& error) {
    pending.set(error);
  } catch (const Failure& failure) {
    pending.set(failure);
  } catch (const std::exception& unexpected) {
    pending.set(unexpected);
  } catch (...) {
    pending.set_unknown();
  }
  pending.raise();
}

}  // namespace etl::pg
