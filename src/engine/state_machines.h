// State machines as their authors ask for them: make, delete, validate.
#pragma once

#include "states/validate.h"
// nlohmann-json first: the server's macros do not suit it.
#include "pg/error.h"

namespace etl {

// What is wrong with a definition, for machines of the current user. `text` is JSON.
std::vector<states::Finding> validate_state_machine(const std::string& text);

// Returns the version. Failure (kRunNotValid) with every error; insufficient_privilege where it is somebody else's.
int create_state_machine(const std::string& name, const std::string& definition, const std::string& type);

// Failure (undefined_object) where there is none that is the current user's.
void delete_state_machine(const std::string& name);

// Failure (invalid_name) where a name is none for a state machine or an execution, which `what` says.
void require_state_name(const std::string& name, const char* what);

// A definition in the language of a format, 'mermaid' or 'dot'; `statuses` is an object of names of states.
std::string draw_state_machine(const std::string& definition, const std::string& format, const std::string& statuses);

}  // namespace etl
