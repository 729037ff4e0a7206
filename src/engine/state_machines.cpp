#include "engine/state_machines.h"

#include "engine/machine_store.h"
#include "engine/task_handlers.h"
#include "engine/task_runner.h"
#include "pg/engine_rights.h"
#include "pg/guard.h"
#include "pg/roles.h"
#include "states/graph.h"
#include "states/jsonata.h"
#include "states/resource.h"

extern "C" {
#include "mb/pg_wchar.h"
#include "tcop/utility.h"
}

namespace etl {

namespace {

constexpr size_t kMostShown = 50;
constexpr int kLongestName = 80;
constexpr const char* kStandard = "STANDARD";
constexpr const char* kExpress = "EXPRESS";

class RegisteredResources : public states::Resources {
 public:
  RegisteredResources(Oid owner, const std::string& type) : owner_(owner), is_express_(type == kExpress) {}
  std::optional<std::string> problem(const std::string& resource) const override {
    const pg::EngineRights rights;
    const pg::Spi spi;
    if (auto problem = resource_problem(resource, owner_)) return problem;
    if (!is_express_ || !waits(resource)) return std::nullopt;
    return "a state machine of type EXPRESS cannot wait for somebody else to end a task, as \"" + resource + "\" does";
  }

 private:
  // A function that is registered for a resource does all of its work.
  bool waits(const std::string& text) const {
    const states::Resource resource = states::Resource::parse(text);
    return resource.needs_token || (resource.is_sync() && !task_handlers::find(text, "", owner_));
  }

  const Oid owner_;
  const bool is_express_;
};

states::Json parse(const std::string& definition) {
  auto json = states::parse_json(definition);
  if (json) return *std::move(json);
  throw pg::Failure(ERRCODE_INVALID_TEXT_REPRESENTATION,
                    "the definition is nested too deeply, or has a number that "
                    "is too large");
}

std::vector<states::Finding> find_faults(const std::string& text, const std::string& type) {
  states::JsonataEngine jsonata({}, [] { return InterruptPending && QueryCancelPending; });
  const RegisteredResources resources(GetUserId(), type);
  return states::validate(parse(text), jsonata, &resources);
}

void require_valid(const std::string& name, const std::string& definition, const std::string& type) {
  std::string detail;
  size_t errors = 0;
  for (const states::Finding& finding : find_faults(definition, type)) {
    if (finding.severity != states::Severity::kError) continue;
    if (++errors <= kMostShown)
      detail += (errors == 1 ? "" : "\n") + finding.pointer + ": " + finding.message + " [" + finding.code + "]";
  }
  if (errors == 0) return;
  if (errors > kMostShown) detail += pg::format("\nand %zu more", errors - kMostShown);
  throw pg::Failure(ERRCODE_INVALID_OBJECT_DEFINITION,
                    pg::format("the definition of state machine \"%s\" is not valid: %zu %s", name.c_str(), errors,
                               errors == 1 ? "error" : "errors"),
                    detail, "SELECT * FROM setup.validate_state_machine(definition); lists them, with warnings.");
}

[[noreturn]] void fail_foreign(const machine_store::Machine& machine) {
  throw pg::Failure(
      ERRCODE_INSUFFICIENT_PRIVILEGE,
      pg::format("state machine \"%s\" belongs to role \"%s\"", machine.name.c_str(), machine.owner.c_str()), "",
      "Choose another name.");
}

}  // namespace

std::vector<states::Finding> validate_state_machine(const std::string& text) {
  return find_faults(text, kStandard);
}

void require_state_name(const std::string& name, const char* what) {
  const bool has_control =
      std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!name.empty() && !has_control && pg_mbstrlen_with_len(name.data(), static_cast<int>(name.size())) <= kLongestName)
    return;
  throw pg::Failure(
      ERRCODE_INVALID_NAME,
      pg::format("the name of %s has 1 to %d characters, none of them a control character", what, kLongestName));
}

int create_state_machine(const std::string& name, const std::string& definition, const std::string& type) {
  pg::guard([] { PreventCommandIfReadOnly("setup.create_state_machine()"); });
  require_state_name(name, "a state machine");
  if (type != kStandard && type != kExpress)
    throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("type \"%s\" is not known", type.c_str()), "",
                      "It is 'STANDARD' (every step is kept) or 'EXPRESS' (only the end is).");
  if (GetDatabaseEncoding() != PG_UTF8)
    throw pg::Failure(
        ERRCODE_FEATURE_NOT_SUPPORTED,
        pg::format("state machines need a database with encoding UTF8, and this one has %s", GetDatabaseEncodingName()),
        "", "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0 makes one.");
  require_valid(name, definition, type);
  const Oid user = GetUserId();
  const std::string owner = pg::role_name(user);
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  auto machine = machine_store::find(name, true);
  if (!machine) {
    if (machine_store::insert(name, type, owner, definition)) return 1;
    machine = machine_store::find(name, true);  // somebody else has made it meanwhile
  }
  if (!machine)
    throw pg::Failure(ERRCODE_DUPLICATE_OBJECT,
                      pg::format("state machine \"%s\" is being made and deleted by others", name.c_str()), "",
                      "Try it again.");
  if (!pg::may_act_as(user, machine->owner_oid)) fail_foreign(*machine);
  return machine_store::update(*machine, type, definition);
}

void delete_state_machine(const std::string& name) {
  pg::guard([] { PreventCommandIfReadOnly("setup.delete_state_machine()"); });
  const Oid user = GetUserId();
  const pg::EngineRights rights(pg::kLongestLockWait);
  const pg::Spi spi;
  const auto machine = machine_store::find(name, true);
  if (!machine || !pg::is_member(user, machine->owner_oid))
    throw pg::Failure(ERRCODE_UNDEFINED_OBJECT, pg::format("state machine \"%s\" does not exist", name.c_str()));
  if (!pg::may_act_as(user, machine->owner_oid)) fail_foreign(*machine);
  machine_store::remove(*machine);
}

std::string draw_state_machine(const std::string& definition, const std::string& format, const std::string& statuses) {
  static const std::map<std::string, states::StateStatus> known = {{"RUNNING", states::StateStatus::kRunning},
                                                                   {"SUCCEEDED", states::StateStatus::kSucceeded},
                                                                   {"FAILED", states::StateStatus::kFailed},
                                                                   {"CAUGHT", states::StateStatus::kCaught}};
  states::StateStatuses coloured;
  const states::Json given = parse(statuses);
  for (const auto& [state, status] : given.items())
    if (status.is_string() && known.contains(status)) coloured[state] = known.at(status);
  if (format == "mermaid") return states::mermaid(parse(definition), coloured);
  if (format == "dot") return states::dot(parse(definition), coloured);
  throw pg::Failure(ERRCODE_INVALID_PARAMETER_VALUE, pg::format("format \"%s\" is not known", format.c_str()), "",
                    "It is 'mermaid' or 'dot'.");
}

}  // namespace etl
