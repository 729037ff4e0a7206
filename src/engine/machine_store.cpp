#include "engine/machine_store.h"
// nlohmann-json first: the server's macros do not suit it.
#include "pg/guard.h"

extern "C" {
#include "commands/extension.h"
}

namespace etl::machine_store {

namespace {

constexpr size_t kMostKept = 16;

struct Kept {
  Oid extension;
  int64_t machine_id;
  int version;
  std::shared_ptr<const states::Definition> definition;
};

}  // namespace

std::optional<Machine> find(const std::string& name, bool lock) {
  static pg::Statement read{
      "SELECT machine_id, type, version, owner, owner_oid FROM setup.state_machines WHERE name = $1", {TEXTOID}};
  static pg::Statement read_locked{
      "SELECT machine_id, type, version, owner, owner_oid FROM setup.state_machines WHERE name = $1 FOR UPDATE",
      {TEXTOID}};
  const pg::Rows row = (lock ? read_locked : read).run({pg::value(name)});
  if (row.size() == 0) return std::nullopt;
  return Machine{row.int8(0, 0), name, row.text(0, 1), row.int4(0, 2), row.text(0, 3), row.oid(0, 4)};
}

bool insert(const std::string& name, const std::string& type, const std::string& owner, const std::string& definition) {
  static pg::Statement insert{
      "WITH machine AS (INSERT INTO setup.state_machines (name, type, owner) VALUES ($1, $2, $3) ON CONFLICT (name) DO "
      "NOTHING "
      "RETURNING machine_id) "
      "INSERT INTO setup.state_machine_versions (machine_id, version, definition) SELECT machine_id, 1, $4::jsonb "
      "FROM machine",
      {TEXTOID, TEXTOID, TEXTOID, TEXTOID}};
  return insert.run({pg::value(name), pg::value(type), pg::value(owner), pg::value(definition)}).processed() == 1;
}

int update(const Machine& machine, const std::string& type, const std::string& definition) {
  static pg::Statement is_same{
      "SELECT definition = $3::jsonb FROM setup.state_machine_versions WHERE machine_id = $1 AND version = $2",
      {INT8OID, INT4OID, TEXTOID}};
  static pg::Statement update{
      "WITH present AS (UPDATE setup.state_machines SET type = $2, updated_at = clock_timestamp(), "
      "version = (SELECT max(version) + 1 FROM setup.state_machine_versions WHERE machine_id = $1) "
      "WHERE machine_id = $1 RETURNING version) "
      "INSERT INTO setup.state_machine_versions (machine_id, version, definition) SELECT $1, version, $3::jsonb "
      "FROM present RETURNING version",
      {INT8OID, TEXTOID, TEXTOID}};
  const pg::Rows same =
      is_same.run({pg::value(machine.id), pg::value(static_cast<int32_t>(machine.version)), pg::value(definition)});
  if (same.size() > 0 && same.boolean(0, 0) && machine.type == type) return machine.version;
  return update.run({pg::value(machine.id), pg::value(type), pg::value(definition)}).int4(0, 0);
}

// What its executions need of it goes with them: setup.drop_history().
void remove(const Machine& machine) {
  static pg::Statement remove{"DELETE FROM setup.state_machines WHERE machine_id = $1", {INT8OID}};
  static pg::Statement remove_versions{
      "DELETE FROM setup.state_machine_versions v WHERE machine_id = $1 AND NOT EXISTS (SELECT FROM setup.executions e "
      "WHERE e.machine_id = v.machine_id AND e.version = v.version)",
      {INT8OID}};
  remove.run({pg::value(machine.id)});
  remove_versions.run({pg::value(machine.id)});
}

std::string definition_text(int64_t machine_id, int version) {
  static pg::Statement read{
      "SELECT definition FROM setup.state_machine_versions WHERE machine_id = $1 AND version = $2", {INT8OID, INT4OID}};
  const pg::Rows row = read.run({pg::value(machine_id), pg::value(static_cast<int32_t>(version))});
  if (row.size() == 0)
    throw pg::Failure(ERRCODE_NO_DATA_FOUND, pg::format("version %d of state machine %lld does not exist", version,
                                                        static_cast<long long>(machine_id)));
  return row.text(0, 0);
}

std::shared_ptr<const states::Definition> definition(int64_t machine_id, int version) {
  static std::vector<Kept> kept;  // the one that was used last comes first
  // One that was dropped and made again counts anew; and what a user's session sees may be rolled back.
  const Oid extension = pg::guard([] { return get_extension_oid("etl_orchestrator", true); });
  if (MyBackendType != B_BG_WORKER) kept.clear();
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const Kept& each) {
    return each.extension == extension && each.machine_id == machine_id && each.version == version;
  });
  if (found != kept.end()) {
    std::rotate(kept.begin(), found, found + 1);
    return kept.front().definition;
  }
  const std::optional<states::Json> source = states::parse_json(definition_text(machine_id, version));
  if (!source) throw pg::Failure(ERRCODE_INVALID_TEXT_REPRESENTATION, "the definition of a state machine is no JSON");
  auto parsed = std::make_shared<const states::Definition>(states::parse_definition(*source));
  kept.insert(kept.begin(), {extension, machine_id, version, parsed});
  if (kept.size() > kMostKept) kept.pop_back();
  return parsed;
}

}  // namespace etl::machine_store
