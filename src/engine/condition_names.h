// Names of SQLSTATEs as PL/pgSQL has them.
#pragma once

#include <string>

namespace etl {

// "22012" -> "division_by_zero"; the SQLSTATE itself where it has no name.
std::string condition_name(const std::string& sqlstate);

}  // namespace etl
