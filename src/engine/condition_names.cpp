#include "engine/condition_names.h"

#include <map>

namespace etl {

std::string condition_name(const std::string& sqlstate) {
  // Made from the server's list by the Makefile.
  static const std::map<std::string, std::string> names = {
#include "engine/condition_names.inc"
  };
  const auto found = names.find(sqlstate);
  return found == names.end() ? sqlstate : found->second;
}

}  // namespace etl
