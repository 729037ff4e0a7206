// Memory of the server for things that live as long as one of ours.
#pragma once

#include "pg/server.h"

namespace etl::pg {

// A memory context beneath the current one. Goes with its owner, also while an error passes, which must be before the
// current one goes.
class Memory {
 public:
  explicit Memory(const char* name);  // a constant
  ~Memory() { MemoryContextDelete(context_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  MemoryContext get() const { return context_; }
  void reset() const;

 private:
  MemoryContext context_;
};

}  // namespace etl::pg
