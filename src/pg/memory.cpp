#include "pg/memory.h"

#include "pg/guard.h"

namespace etl::pg {

Memory::Memory(const char* name)
    : context_(
          guard([&] { return AllocSetContextCreateInternal(CurrentMemoryContext, name, ALLOCSET_DEFAULT_SIZES); })) {}

void Memory::reset() const {
  guard([&] { MemoryContextReset(context_); });
}

}  // namespace etl::pg
