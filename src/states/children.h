// Makes the children of a branch that is forked: for the interpreter's own files.
#pragma once

#include "states/evaluation.h"

namespace etl::states {

std::vector<Interpreter::Child> make_children(Tools& tools, const Branch& parent, const std::vector<int64_t>& indexes);

}  // namespace etl::states
