// State machines as the tables hold them, and their definitions, parsed. What is said at the head of run_store.h holds
// here.
#pragma once

#include "states/definition.h"
// nlohmann-json first: the server's macros do not suit it.
#include "pg/spi.h"

namespace etl::machine_store {

struct Machine {
  int64_t id = 0;
  std::string name;
  std::string type;  // STANDARD, EXPRESS
  int version = 0;
  std::string owner;
  Oid owner_oid = InvalidOid;
};

// None where there is no such machine. With `lock`, it stays as it is until the end of the transaction.
std::optional<Machine> find(const std::string& name, bool lock = false);

// A machine of the current user, in its first version. False if another transaction has made one of that name.
bool insert(const std::string& name, const std::string& type, const std::string& owner, const std::string& definition);

// A new version; the present one where the definition and type are the same. Returns the version.
int update(const Machine& machine, const std::string& type, const std::string& definition);

// Versions that executions still run stay.
void remove(const Machine& machine);

std::string definition_text(int64_t machine_id, int version);

// Parsed; kept in this process for the next execution.
std::shared_ptr<const states::Definition> definition(int64_t machine_id, int version);

}  // namespace etl::machine_store
