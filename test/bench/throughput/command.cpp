#include "command.h"

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace bench {

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("could not run: " + command);
  std::string output;
  char part[4096];
  while (const size_t size = fread(part, 1, sizeof part, pipe)) output.append(part, size);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("failed: " + command + "\n" + output);
  return output;
}

double number_of(const std::string& command) {
  std::string output = output_of(command);
  while (!output.empty() && output.back() == '\n') output.pop_back();
  const std::string line = output.substr(output.rfind('\n') + 1);  // npos + 1 is 0
  char* end = nullptr;
  const double number = std::strtod(line.c_str(), &end);
  if (end == line.c_str() || *end != '\0' || number <= 0)
    throw std::runtime_error("printed no number: " + command + "\n" + output);
  return number;
}

}  // namespace bench
