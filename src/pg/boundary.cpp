#include "pg/boundary.h"

#include <new>

namespace etl::pg::detail {

namespace {

// A copy in the current context, or null: raising for lack of memory is not possible inside a catch block.
char* copy(const char* text) {
  if (text == nullptr || *text == '\0') return nullptr;
  const size_t size = strlen(text) + 1;
  auto* place = static_cast<char*>(MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_NO_OOM));
  return place == nullptr ? nullptr : static_cast<char*>(memcpy(place, text, size));
}

}  // namespace

void Pending::set(const Error& error) {
  caught = error.hand_over();
}

void Pending::set(const Failure& failure) {
  sqlstate = failure.sqlstate();
  message = copy(failure.what());
  detail = copy(failure.detail().c_str());
  hint = copy(failure.hint().c_str());
}

void Pending::set(const std::exception& unexpected) {
  const bool memory = dynamic_cast<const std::bad_alloc*>(&unexpected) != nullptr;
  sqlstate = memory ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INTERNAL_ERROR;
  message = copy(memory ? "out of memory" : unexpected.what());
}

void Pending::set_unknown() {
  sqlstate = ERRCODE_INTERNAL_ERROR;
}

void Pending::raise() const {
  if (caught != nullptr) ReThrowError(caught);
  ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message != nullptr ? message : "unknown C++ exception"),
                  detail != nullptr ? errdetail_internal("%s", detail) : 0, hint != nullptr ? errhint("%s", hint) : 0));
  pg_unreachable();
}

}  // namespace etl::pg::detail
