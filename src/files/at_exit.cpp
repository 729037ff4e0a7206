#include "files/at_exit.h"

#include "pg/guard.h"

namespace etl::files::at_exit {

namespace {

std::vector<std::pair<void*, End>>& owners() {
  static auto* list = new std::vector<std::pair<void*, End>>;  // never destroyed
  return *list;
}

void end_all(int, Datum) {
  while (!owners().empty()) {
    const auto [owner, end] = owners().back();
    owners().pop_back();
    end(owner);
  }
}

}  // namespace

void add(void* owner, End end) {
  static bool registered = false;
  if (!registered) pg::guard([] { before_shmem_exit(end_all, 0); });
  registered = true;
  owners().emplace_back(owner, end);
}

void remove(void* owner) {
  std::erase_if(owners(), [&](const auto& entry) { return entry.first == owner; });
}

}  // namespace etl::files::at_exit
