// Programs that are run for the numbers they print.
#pragma once

#include <string>
#include <string_view>

namespace bench {

std::string shell_quoted(std::string_view text);

// Standard output of a shell command. Throws std::runtime_error if it fails.
std::string output_of(const std::string& command);

// The number that a command prints as its last line.
double number_of(const std::string& command);

}  // namespace bench
